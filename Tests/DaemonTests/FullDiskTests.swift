import Foundation
import JobAPI
import JobClient
import Testing

/// A ledger whose disk is really full. Needs root, to mount a file system that is small enough.
@Suite(
    .serialized, .enabled("only root can mount a small file system to fill") { SmallDisk.canMount() })
struct FullDiskTests {
    @Test func jobsAreRefusedRunningOnesGoOnAndNothingIsLost() async throws {
        try await RunningDaemon.with(
            prepare: { directory in
                try FileManager.default.createDirectory(
                    atPath: directory + "/state", withIntermediateDirectories: true)
                try SmallDisk.mount(directory + "/state")
            }
        ) { daemon in
            defer { try? SmallDisk.unmount(daemon.state) }
            let running = try await daemon.submit(["sh", "-c", "while [ ! -e go ]; do sleep 0.1; done; exit 6"])
            _ = try await daemon.reaches(running) { $0.state == .running }
            let filler = daemon.state + "/filler"
            try fill(filler)
            let error = await #expect(throws: ClientError.self) {
                // The journal may have room for one or two more; an accepted one is kept, so the first refusal counts.
                for _ in 0..<50 {
                    _ = try await daemon.submit(["true"]) { $0.name = String(repeating: "n", count: 190) }
                }
            }
            guard case .refused(let refusal) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(refusal.code == .storage)
            #expect(refusal.message.contains("full"))
            try daemon.touch("go")
            try FileManager.default.removeItem(atPath: filler)
            #expect(try await daemon.ended(running).job.exitStatus == 6)
            let next = try await daemon.submit(["true"])
            #expect(try await daemon.ended(next).job.state == .succeeded)
            let report = try await daemon.client { try await $0.report() }
            #expect(report.balance.residualUj == 0)
            #expect(await daemon.stop() == 0)
        }
    }

    private func fill(_ path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let block = [UInt8](repeating: 0, count: 4096)
        while write(descriptor, block, block.count) > 0 {}
    }
}

/// A file system of 3 MiB.
private enum SmallDisk {
    static func canMount() -> Bool {
        guard geteuid() == 0 else { return false }
        let directory = "/tmp/mldt-mount-\(UUID().uuidString.prefix(8))"
        defer { rmdir(directory) }
        guard mkdir(directory, 0o700) == 0, (try? mount(directory)) != nil else { return false }
        return (try? unmount(directory)) != nil
    }

    static func mount(_ directory: String) throws {
        let result = try RunningDaemon.run("/bin/mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", directory])
        guard result.status == 0 else { throw RunningDaemon.Failure(result.err) }
    }

    static func unmount(_ directory: String) throws {
        let result = try RunningDaemon.run("/bin/umount", ["-l", directory])
        guard result.status == 0 else { throw RunningDaemon.Failure(result.err) }
    }
}
