import Foundation
import JobAPI
import JobClient
import Testing

/// A ledger that cannot be written. Needs root, to mount it so: of its rights root takes no notice.
@Suite(.serialized, .enabled("only root can mount a file read-only") { ReadOnlyFile.canMount() })
struct ReadOnlyLedgerTests {
    @Test func mldDoesNotStartAndSaysWhatToDo() async throws {
        try await RunningDaemon.with { daemon in
            let id = try await daemon.submit(["true"])
            _ = try await daemon.ended(id)
            await daemon.stop()
            let ledger = daemon.state + "/ledger.db"
            try ReadOnlyFile.mount(ledger)
            await #expect(throws: RunningDaemon.Failure.self) { try await daemon.start() }
            let log = daemon.log
            try ReadOnlyFile.unmount(ledger)
            #expect(log.contains("cannot open \(ledger) for writing: Read-only file system"), "\(log)")
            #expect(log.contains("make it writable for mld"), "\(log)")
            // Nothing is lost by that.
            try await daemon.start()
            #expect(try await daemon.client { try await $0.job(id) }.job.state == .succeeded)
        }
    }
}

private enum ReadOnlyFile {
    static func canMount() -> Bool {
        guard geteuid() == 0 else { return false }
        let file = "/tmp/mldt-file-\(UUID().uuidString.prefix(8))"
        defer { unlink(file) }
        guard FileManager.default.createFile(atPath: file, contents: nil), (try? mount(file)) != nil else {
            return false
        }
        return (try? unmount(file)) != nil
    }

    /// Over itself.
    static func mount(_ file: String) throws {
        try run("/bin/mount", "--bind", file, file)
        do {
            try run("/bin/mount", "-o", "remount,bind,ro", file)
        } catch {
            try unmount(file)
            throw error
        }
    }

    static func unmount(_ file: String) throws { try run("/bin/umount", "-l", file) }

    private static func run(_ program: String, _ arguments: String...) throws {
        let result = try RunningDaemon.run(program, arguments)
        guard result.status == 0 else { throw RunningDaemon.Failure(result.err) }
    }
}
