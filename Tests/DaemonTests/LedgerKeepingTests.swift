import Foundation
import JobAPI
import JobClient
import Testing
import Units

/// `mld backup` and `mld restore`, as an admin runs them.
@Suite(.serialized) struct LedgerKeepingTests {
    private func mld(_ daemon: RunningDaemon, _ arguments: String...) throws -> (
        status: Int32, out: String, err: String
    ) {
        try RunningDaemon.run("mld", arguments + ["--state", daemon.state])
    }

    @Test func aCopyIsMadeWhileJobsRunAndIsPutBack() async throws {
        try await RunningDaemon.with { daemon in
            let running = try await daemon.submit(["sh", "-c", "until [ -e go ]; do sleep 0.05; done"])
            _ = try await daemon.reaches(running) { $0.state == .running }
            let waiting = try await daemon.submit(["sh", "-c", "echo ran >> count"]) {
                $0.schedule.notBefore = .now().advanced(by: .seconds(86_400))
            }
            let copy = daemon.directory + "/copy.db"
            let backup = try mld(daemon, "backup", copy)
            #expect(backup.status == 0, "\(backup.err)")
            #expect(backup.out.hasPrefix("written: \(copy), ") && backup.out.contains("audit ok: "))
            let again = try mld(daemon, "backup", copy)
            #expect(again.status == 1 && again.err.contains("is there already"))
            #expect(try mld(daemon, "backup", copy, "--replace").status == 0)

            // Not under a daemon's feet, and not while jobs run that the copy may know nothing of.
            let early = try mld(daemon, "restore", copy)
            #expect(early.status == 1 && early.err.contains("another mld is running"), "\(early.err)")
            await daemon.stop()
            let tooEarly = try mld(daemon, "restore", copy)
            #expect(
                tooEarly.status == 1 && tooEarly.err.contains("have not ended, such as \(running)"), "\(tooEarly.err)")
            try await daemon.start()
            try daemon.touch("go")
            #expect(try await daemon.ended(running).job.state == .succeeded)
            let since = try await daemon.submit(["true"])
            _ = try await daemon.ended(since)
            await daemon.stop()

            let restore = try mld(daemon, "restore", copy)
            #expect(restore.status == 0, "\(restore.err)")
            #expect(restore.out.contains("audit ok") && restore.out.contains("1 jobs that waited are held"))
            try await daemon.start()
            // It ran to its end meanwhile, and its directory says how.
            let ended = try await daemon.ended(running)
            #expect(ended.job.state == .succeeded && ended.job.attempt == 1)
            let stored = try await daemon.client { try await $0.job(waiting) }
            #expect(stored.job.state == .queued && stored.job.reason.contains("may have run since"))
            // Its number was given before, so it is nobody else's.
            let next = try await daemon.submit(["true"])
            #expect(next.number > since.number)
            let audit = try daemon.mlctl("report", "--audit")
            #expect(audit.status == 0, "\(audit.out)\(audit.err)")
        }
    }

    @Test func whatCannotBeDoneIsSaid() async throws {
        try await RunningDaemon.with { daemon in
            try FileManager.default.createSymbolicLink(
                atPath: daemon.directory + "/link", withDestinationPath: daemon.state)
            for (arguments, words) in [
                (["backup", "/no/such/place/copy.db"], "No such file or directory"),
                (["backup", daemon.state + "/ledger.db", "--replace"], "is a file of the ledger itself"),
                (["backup", daemon.state + "/./ledger.db", "--replace"], "is a file of the ledger itself"),
                (["backup", daemon.state + "/../state/ledger.db-wal", "--replace"], "is a file of the ledger itself"),
                (["backup", daemon.directory + "/link/ledger.db-shm", "--replace"], "is a file of the ledger itself"),
                (["backup", daemon.work, "--replace"], "it is no file"),
            ] {
                let result = try RunningDaemon.run("mld", arguments + ["--state", daemon.state])
                #expect(result.status == 1 && result.err.contains(words), "\(result.err)")
            }
            await daemon.stop()
            // Nothing is made for what cannot be done.
            let none = daemon.directory + "/none"
            let early = try RunningDaemon.run("mld", ["restore", "/no/such/copy.db", "--state", none])
            #expect(early.status == 1 && early.err.contains("restore: cannot open /no/such/copy.db"), "\(early.err)")
            #expect(!FileManager.default.fileExists(atPath: none))
            for (file, words) in [("/no/such/copy.db", "No such file"), ("/etc/passwd", "file is not a database")] {
                let result = try mld(daemon, "restore", file)
                #expect(result.status == 1 && result.err.contains(words), "\(result.err)")
            }
            try await daemon.start()
        }
    }

    /// Who could exchange what lies there while root writes.
    @Test(.enabled("only root can work for others") { geteuid() == 0 })
    func rootRestoresIntoNobodysDirectoryButItsOwn() async throws {
        try await RunningDaemon.with { daemon in
            let copy = daemon.directory + "/copy.db"
            #expect(try mld(daemon, "backup", copy).status == 0)
            let theirs = daemon.directory + "/theirs"
            try FileManager.default.createDirectory(atPath: theirs, withIntermediateDirectories: true)
            #expect(chown(theirs, 65534, 65534) == 0)
            let result = try RunningDaemon.run("mld", ["restore", copy, "--state", theirs])
            #expect(result.status == 1 && result.err.contains("\(theirs) belongs to nobody"), "\(result.err)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: theirs).isEmpty)
        }
    }
}
