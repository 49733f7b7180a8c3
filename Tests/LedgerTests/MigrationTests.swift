import FoundationEssentials
import GRDB
import JobAPI
import Testing
import Units

@testable import Ledger

/// A ledger of the release before is taken over as it is.
@Suite struct MigrationTests {
    @Test func theFirstReleasesLedgerIsSealedFromItsBeginning() async throws {
        let directory = FileManager.default.temporaryDirectory.path + "/mld-ledger-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let old = try DatabaseQueue(path: directory + "/ledger.db")
        try Migrations.all.migrate(old, upTo: "v1")
        let minute = Books.day(0).minute
        try await old.write { db in
            try db.execute(
                sql: """
                    INSERT INTO hosts VALUES (1, 'h', 'c', 4, 1000);
                    INSERT INTO policies VALUES ('p', 5, '');
                    INSERT INTO jobs (name, user, uid, gid, project, queue, priority, kind, spec, state, reason, attempt,
                        cpus, memory_bytes, gpus, submitted_us, policy_hash)
                    VALUES ('n', 'ada', 1, 1, 'x', 'batch', 1, 'command', '{"command": {"argv": ["true"]}}', 'succeeded',
                        'r', 1, 1, 1, 0, 5, 'p');
                    INSERT INTO domains VALUES (1, 1, 'package-0', 'cpu', 'test');
                    INSERT INTO domain_minutes VALUES (\(minute), 1, 7, 7, 7, 1, 0, 'measured');
                    INSERT INTO spans VALUES (\(minute), 1, 'job', 1, 1, 5, 2, 7, 7, 0, 0, 0, 0, 'measured')
                    """)
        }
        try old.close()

        let ledger = try Ledger(path: directory + "/ledger.db")
        try await ledger.close(
            before: Books.day(1), context: Books.context, retention: Retention(), now: Books.day(1))
        let audit = try await ledger.audit(now: Books.day(1))
        #expect(audit.findings == [])
        #expect(audit.rows["spans"] == 1 && audit.rows["span_days"] == 1 && audit.rows["jobs"] == 1)
        #expect(try await ledger.job(JobID(1))?.record.energy.energyJ == 7e-6)
        try ledger.close()
    }

    /// Whose doing it was is known of what stands still now, not of what did.
    @Test func whatItsOwnerSuspendedIsStillItsOwners() async throws {
        let directory = FileManager.default.temporaryDirectory.path + "/mld-ledger-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let old = try DatabaseQueue(path: directory + "/ledger.db")
        try Migrations.all.migrate(old, upTo: "v6")
        try await old.write { db in
            for (id, held) in [(1, 2), (2, 3)] {
                try db.execute(
                    sql: """
                        INSERT INTO jobs (id, name, user, uid, gid, project, queue, priority, kind, spec, state, reason, held,
                            attempt, cpus, memory_bytes, gpus, submitted_us, policy_hash)
                        VALUES (\(id), 'n', 'ada', 1, 1, 'x', 'batch', 1, 'command', '{"command": {"argv": ["true"]}}',
                            'suspended', 'r', \(held), 2, 1, 1, 0, 5, 'p');
                        INSERT INTO attempts (job_id, number, started_us, boot_id, suspended_us)
                        VALUES (\(id), 1, 5, 'b', 7), (\(id), 2, 6, 'b', 9);
                        INSERT INTO transitions (job_id, at_us, from_state, to_state, cause)
                        VALUES (\(id), 10, 'running', 'suspended', 'x'), (\(id), 40, 'running', 'suspended', 'x')
                        """)
            }
        }
        try old.close()
        let ledger = try Ledger(path: directory + "/ledger.db")
        let owners = try #require(try await ledger.job(JobID(1)))
        #expect(owners.ownerSuspendedSince == Timestamp(microseconds: 40) && owners.ownerSuspendedSeconds == 0)
        #expect(owners.suspendedSeconds == 9e-6)
        #expect(try await ledger.job(JobID(2))?.ownerSuspendedSince == nil)
        try ledger.close()
    }
}
