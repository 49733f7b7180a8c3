import Foundation
import GRDB
import JobAPI
import Testing
import Units

@testable import Ledger

/// A ledger of each release there was, taken over by this one.
@Suite struct UpgradeTests {
    private static let releases = Array(Migrations.all.migrations.dropLast())

    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.path + "/mld-ledger-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await body(directory)
    }

    /// A ledger as that release left it, with a job that ran and one that waits.
    private func make(_ path: String, upTo release: String) async throws {
        let old = try DatabaseQueue(path: path)
        try Migrations.all.migrate(old, upTo: release)
        let minute = Books.day(0).minute
        try await old.write { db in
            try db.execute(
                sql: """
                    INSERT INTO hosts VALUES (1, 'h', 'c', 4, 1000);
                    INSERT INTO policies (hash, applied_us, text) VALUES ('p', 5, '');
                    INSERT INTO domains (id, host_id, name, kind, source) VALUES (1, 1, 'package-0', 'cpu', 'test');
                    INSERT INTO domain_minutes (minute, domain_id, metered_uj, low_uj, high_uj, metered_us, gap_us, tier)
                    VALUES (\(minute), 1, 7, 7, 7, 1, 0, 'measured');
                    INSERT INTO spans (minute, domain_id, account, job_id, attempt, active_uj, idle_uj, low_uj, high_uj,
                        carbon_ug, carbon_low_ug, carbon_high_ug, gap_us, tier)
                    VALUES (\(minute), 1, 'job', 1, 1, 5, 2, 7, 7, 0, 0, 0, 0, 'measured')
                    """)
            for (id, state) in [(1, "succeeded"), (2, "queued")] {
                try db.execute(
                    sql: """
                        INSERT INTO jobs (id, name, user, uid, gid, project, queue, priority, kind, spec, state, reason,
                            attempt, cpus, memory_bytes, gpus, submitted_us, policy_hash)
                        VALUES (\(id), 'n', 'ada', 1, 1, 'x', 'batch', 1, 'command', '{"command": {"argv": ["true"]}}',
                            '\(state)', 'r', \(2 - id), 1, 1, 0, 5, 'p');
                        INSERT INTO transitions (job_id, at_us, from_state, to_state, cause)
                        VALUES (\(id), 5, NULL, '\(state)', 'x')
                        """)
            }
            try db.execute(sql: "INSERT INTO attempts (job_id, number, started_us, boot_id) VALUES (1, 1, 5, 'b')")
        }
        try old.close()
    }

    @Test(arguments: releases) func itIsKeptAsItWasAndThenTakenOver(release: String) async throws {
        try await withDirectory { directory in
            let path = directory + "/ledger.db"
            try await make(path, upTo: release)
            let ledger = try Ledger(path: path)
            #expect(try await ledger.job(JobID(1))?.record.energy.energyJ == 7e-6)
            #expect(try await ledger.waiting().map(\.id) == [JobID(2)])
            try await ledger.close(
                before: Books.day(1), context: Books.context, retention: Retention(), now: Books.day(1))
            let audit = try await ledger.audit(now: Books.day(1))
            #expect(audit.findings == [])
            #expect(audit.rows["jobs"] == 2 && audit.rows["spans"] == 1)
            try ledger.close()

            let backup = path + ".\(release).backup"
            let attributes = try FileManager.default.attributesOfItem(atPath: backup)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            let kept = try DatabaseQueue(path: backup)
            let (schema, states) = try await kept.read { db in
                (
                    try LedgerFile.schema(db), try String.fetchAll(db, sql: "SELECT state FROM jobs ORDER BY id")
                )
            }
            #expect(schema == release && states == ["succeeded", "queued"])
            try kept.close()

            // Going back is putting it in place; here by this release, which brings it up to date again.
            let restored = try await Ledger.restore(
                backup, to: path, lastNumber: 0, accepting: \.ok, now: Books.day(1))
            #expect(restored.held == 1)
            let names = try FileManager.default.contentsOfDirectory(atPath: directory)
            #expect(!names.contains { $0.contains("restoring") || $0.contains(".new.") })
        }
    }

    @Test func aLedgerOfThisReleaseIsNotCopied() async throws {
        try await withDirectory { directory in
            try Ledger(path: directory + "/ledger.db").close()
            try Ledger(path: directory + "/ledger.db").close()
            let names = try FileManager.default.contentsOfDirectory(atPath: directory)
            #expect(names.contains("ledger.db") && !names.contains { $0.contains("backup") })
        }
    }

    @Test func withoutRoomForTheCopyNothingIsChanged() async throws {
        try await withDirectory { directory in
            let path = directory + "/ledger.db"
            try await make(path, upTo: "v3")
            // Nothing can be renamed over a directory: for whoever tests as root a mode would close nothing.
            let inTheWay = path + ".v3.backup"
            try FileManager.default.createDirectory(atPath: inTheWay + "/full", withIntermediateDirectories: true)
            do {
                _ = try Ledger(path: path)
                Issue.record("it was opened without a copy")
            } catch {
                #expect("\(error)".contains("before its schema changes"), "\(error)")
            }
            try FileManager.default.removeItem(atPath: inTheWay)
            let old = try DatabaseQueue(path: path)
            #expect(try await old.read { try LedgerFile.schema($0) } == "v3")
            try old.close()
            try Ledger(path: path).close()
            #expect(FileManager.default.fileExists(atPath: inTheWay))
        }
    }
}
