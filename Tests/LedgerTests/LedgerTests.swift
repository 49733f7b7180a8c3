import FoundationEssentials
import GRDB
import JobAPI
import Testing
import Units

@testable import Ledger

/// A ledger in a directory of its own, removed afterwards.
final class TemporaryLedger: Sendable {
    let ledger: Ledger
    let directory: String

    init(patience: Double = 5) throws {
        directory = FileManager.default.temporaryDirectory.path + "/mld-ledger-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        ledger = try Ledger(path: directory + "/ledger.db", patience: patience)
    }

    deinit {
        try? ledger.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    func accept(user: String = "ada", name: String = "job", project: String = "default") async throws -> JobID {
        try await ledger.accept(
            NewJob(
                spec: JobSpec(name: name, command: .init(argv: ["true"])), user: user, uid: 1000, gid: 1000,
                project: project, queue: "batch", priority: 10, timeLimit: 60, held: false, reason: "waiting",
                rule: "default.toml:3", policyHash: "abc", submittedAt: Timestamp(seconds: 1_000_000),
                baseline: Baseline(start: Timestamp(seconds: 1_700_006_400), runSeconds: 60, watts: 5)))
    }
}

@Suite struct LedgerTests {
    @Test func anAcceptedJobIsThereAfterReopening() async throws {
        let fixture = try TemporaryLedger()
        let id = try await fixture.accept()
        #expect(id == JobID(1))
        try fixture.ledger.close()
        let again = try Ledger(path: fixture.directory + "/ledger.db")
        #expect(try await again.waiting().map(\.id) == [id])
        let job = try #require(try await again.job(id))
        #expect(job.spec.command?.argv == ["true"])
        #expect(job.record.resources.timeLimit == 60)
        try again.close()
    }

    @Test func numbersAreNeverReused() async throws {
        let fixture = try TemporaryLedger()
        _ = try await fixture.accept()
        let second = try await fixture.accept()
        try await fixture.ledger.pool.write { db in
            try db.execute(
                sql: """
                    DELETE FROM transitions WHERE job_id = 2; DELETE FROM decisions; DELETE FROM baselines;
                    DELETE FROM jobs WHERE id = 2
                    """)
        }
        let third = try await fixture.accept()
        #expect(second == JobID(2))
        #expect(third == JobID(3))
    }

    @Test func aJobEndsOnce() async throws {
        let fixture = try TemporaryLedger()
        let id = try await fixture.accept()
        let at = Timestamp(seconds: 1_000_010)
        #expect(try await fixture.ledger.beginAttempt(id, bootID: "b", at: at) == 1)
        #expect(try await fixture.ledger.beginAttempt(id, bootID: "b", at: at) == nil)
        try await fixture.ledger.recordProcess(
            id, attempt: 1, pid: 7, startTime: 99, cgroup: nil, enforced: ["no network"], at: at)
        #expect(
            try await fixture.ledger.transition(
                id, to: .failed, cause: "exited with status 3", at: at, end: .init(exitStatus: 3)))
        #expect(try await !fixture.ledger.transition(id, to: .succeeded, cause: "again", at: at))
        let job = try #require(await fixture.ledger.job(id))
        #expect(job.record.state == .failed)
        #expect(job.record.exitStatus == 3)
        #expect(job.supervisorPID == 7)
        #expect(job.supervisorStart == 99)
        #expect(try await fixture.ledger.enforced(of: id) == ["no network"])
        #expect(try await fixture.ledger.transitions(of: id).map(\.to) == [.queued, .starting, .running, .failed])
        #expect(try await fixture.ledger.active().jobs.isEmpty)
        #expect(try await fixture.ledger.waiting().isEmpty)
    }

    @Test func aNewerLedgerIsRefused() async throws {
        let fixture = try TemporaryLedger()
        try await fixture.ledger.pool.write { db in
            try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('v999')")
        }
        try fixture.ledger.close()
        let error = #expect(throws: LedgerError.self) { try Ledger(path: fixture.directory + "/ledger.db") }
        #expect(error?.kind == .newer)
    }

    @Test func aFullDiskIsSaidAndLosesNothing() async throws {
        let fixture = try TemporaryLedger()
        let first = try await fixture.accept()
        // The same answer as a full disk, from SQLite itself: no page may be added.
        try await fixture.ledger.pool.writeWithoutTransaction { db in
            let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            try db.execute(sql: "PRAGMA max_page_count = \(pages)")
        }
        var refusal: LedgerError?
        do {
            for _ in 0..<500 { _ = try await fixture.accept(name: String(repeating: "x", count: 200)) }
        } catch let error as LedgerError {
            refusal = error
        }
        #expect(refusal?.kind == .full)
        #expect(refusal?.description.contains("free space") == true)
        let jobs = try await fixture.ledger.waiting()
        #expect(jobs.first?.id == first)
        let perJob = try await fixture.ledger.pool.read { db in
            try Int.fetchOne(
                db,
                sql: "SELECT COUNT(*) FROM jobs j WHERE NOT EXISTS (SELECT 1 FROM transitions t WHERE t.job_id = j.id)")
        }
        #expect(perJob == 0)
    }

    @Test func listsAreFilteredNewestFirst() async throws {
        let fixture = try TemporaryLedger()
        let first = try await fixture.accept(user: "ada")
        let second = try await fixture.accept(user: "bob")
        try await fixture.ledger.transition(first, to: .cancelled, cause: "cancelled by ada", at: .now())
        #expect(try await fixture.ledger.jobs(.init()).map(\.id) == [second, first])
        #expect(try await fixture.ledger.jobs(.init(states: [.cancelled])).map(\.id) == [first])
        #expect(try await fixture.ledger.jobs(.init(user: "bob")).map(\.id) == [second])
        #expect(try await fixture.ledger.jobs(.init(limit: 1)).map(\.id) == [second])
    }

    @Test func hostileTextIsOnlyText() async throws {
        let fixture = try TemporaryLedger()
        let id = try await fixture.accept(user: "x'; DROP TABLE jobs; --", name: "\u{1B}[31m\0")
        #expect(try await fixture.ledger.job(id)?.record.user == "x'; DROP TABLE jobs; --")
        #expect(try await fixture.ledger.jobs(.init(user: "' OR 1=1")).isEmpty)
    }

    /// A list says of a job what asking for it says.
    @Test func listsShowWhatTheJobItselfShows() async throws {
        let fixture = try TemporaryLedger()
        let ledger = fixture.ledger
        let new = NewJob(
            spec: JobSpec(
                name: "sweep", resources: .init(cpus: 3, memory: .mebibytes(700), gpus: 1, timeLimit: 7),
                command: .init(argv: ["true"])),
            user: "ada", uid: 1000, gid: 1000, project: "nlp", queue: "batch", priority: 10, timeLimit: 60, held: false,
            reason: "waiting", rule: nil, policyHash: "", submittedAt: Timestamp(seconds: 1_000_000))
        let (array, elements) = try await ledger.accept(new, indices: [4, 7], limit: 1)
        _ = try await ledger.beginAttempt(elements[0], bootID: "b", at: Timestamp(seconds: 1_000_001))
        try await ledger.recordEvents(
            elements[0], attempt: 1, at: .now(), metrics: [], artifacts: [], progress: .init(epoch: 1, epochs: 2),
            completed: nil, offset: 0)
        try await ledger.transition(
            elements[0], to: .failed, cause: "exited with status 3", at: Timestamp(seconds: 1_000_002),
            end: JobEnd(exitStatus: 3))
        var alone: [JobRecord] = []
        for id in elements { alone.append(try #require(await ledger.job(id)).record) }
        #expect(alone[0].resources == .init(cpus: 3, memory: .mebibytes(700), gpus: 1, timeLimit: 60))
        #expect(try await ledger.jobs(.init()) == alone.reversed())
        #expect(try await ledger.records(ofArray: array, limit: 10) == alone)
        #expect(try await ledger.records(ofArray: array, limit: 1) == [alone[0]])
    }

    @Test func whatAnAttemptSaidAfterItsEndIsNotKept() async throws {
        let fixture = try TemporaryLedger()
        let ledger = fixture.ledger
        let id = try await fixture.accept()
        _ = try await ledger.beginAttempt(id, bootID: "b", at: .now())
        func say(_ loss: Double, epoch: Int) async throws -> Bool {
            try await ledger.recordEvents(
                id, attempt: 1, at: .now(), metrics: [.init(name: "loss", value: loss)], artifacts: [],
                progress: .init(epoch: epoch), completed: (epoch, 0), isCheckpointed: true, offset: Int64(epoch))
        }
        #expect(try await say(0.5, epoch: 1))
        try await ledger.transition(id, to: .succeeded, cause: "test", at: .now())
        #expect(try await !say(0.25, epoch: 2))
        #expect(try await ledger.metrics(of: id).map(\.value) == [0.5])
        let job = try #require(await ledger.job(id))
        #expect(job.record.progress?.epoch == 1)
        #expect(job.eventsOffset == 1)
    }

    @Test func eventsAreKeptWithTheAttempt() async throws {
        let fixture = try TemporaryLedger()
        let id = try await fixture.accept()
        _ = try await fixture.ledger.beginAttempt(id, bootID: "b", at: .now())
        try await fixture.ledger.recordEvents(
            id, attempt: 1, at: .now(),
            metrics: [.init(name: "loss", split: "train", value: 0.5, epoch: 1), .init(name: "loss", value: .nan)],
            artifacts: [.init(kind: "model", path: "m")], progress: .init(epoch: 1, epochs: 2), completed: (1, 640),
            offset: 200)
        let metrics = try await fixture.ledger.metrics(of: id)
        #expect(metrics.count == 2)
        #expect(metrics.first == .init(name: "loss", split: "train", value: 0.5, epoch: 1))
        #expect(metrics.last?.value.isNaN == true)
        #expect(try await fixture.ledger.artifacts(of: id).map(\.path) == ["m"])
        let job = try #require(await fixture.ledger.job(id))
        #expect(job.record.progress == .init(epoch: 1, epochs: 2))
        #expect(job.eventsOffset == 200)
    }
}
