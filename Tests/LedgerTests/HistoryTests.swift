import GRDB
import JobAPI
import TestSupport
import Testing
import Units

@testable import Ledger

/// Jobs that ran, as others replay them.
@Suite struct HistoryTests {
    private let start = Timestamp(seconds: 1_700_006_400)

    private func at(_ seconds: Double) -> Timestamp { start.advanced(by: .seconds(seconds)) }

    /// A job that is submitted at `submit`, starts after 10 s and runs for 100 s, in which it draws 500 J beyond 300 J of idling.
    @discardableResult
    private func job(
        _ ledger: Ledger, host: Int64, at submit: Double, uid: UInt32 = 1, ends state: JobState? = .succeeded,
        isMetered: Bool = true, change: (inout JobSpec) -> Void = { _ in }
    ) async throws -> JobID {
        var spec = JobSpec(
            name: "train", resources: .init(cpus: 2, memory: .gibibytes(3), gpus: 1), command: .init(argv: ["true"]))
        change(&spec)
        let id = try await ledger.accept(
            NewJob(
                spec: spec, user: "u\(uid)", uid: uid, gid: 1, project: "p", queue: "batch", priority: 1,
                timeLimit: 86_400, held: false, reason: "", rule: nil, policyHash: "", submittedAt: at(submit),
                likes: .max))
        guard let state else { return id }
        _ = try await ledger.beginAttempt(id, bootID: "b", at: at(submit + 10))
        try await ledger.recordProcess(
            id, attempt: 1, pid: 1, startTime: 1, cgroup: nil, enforced: [], at: at(submit + 10))
        if isMetered {
            let span = SpanDelta(
                account: .job(id, attempt: 1), active: Energy(microjoules: 500_000_000),
                reservedIdle: Energy(microjoules: 300_000_000), low: .zero, high: .init(microjoules: 900_000_000),
                carbon: .zero, carbonLow: .zero, carbonHigh: .zero, activeCarbon: .zero, tier: .measured)
            try await ledger.add(
                [
                    MeteredInterval(
                        domain: "package-0", kind: "cpu", source: "test", start: at(submit + 11),
                        end: at(submit + 109), metered: .init(microjoules: 800_000_000), low: .zero,
                        high: .init(microjoules: 900_000_000), isGap: false, tier: .measured, spans: [span])
                ], host: host)
        }
        try await ledger.transition(id, to: state, cause: "test", at: at(submit + 110))
        return id
    }

    private func ledger() async throws -> (fixture: TemporaryLedger, host: Int64) {
        let fixture = try TemporaryLedger()
        return (fixture, try await fixture.ledger.host(name: "h", cpuModel: "c", cpus: 4, memory: .gibibytes(1)))
    }

    /// What was asked of each GPU stands in the description alone; what people made of that is as if it were not there.
    @Test func whatWasAskedOfGPUsIsTold() async throws {
        let (fixture, host) = try await ledger()
        let id = try await job(fixture.ledger, host: host, at: 0) {
            $0.resources.gpuMemory = .gibibytes(8)
            $0.resources.gpuModel = "A100"
            $0.resources.gpuShare = false
        }
        try await job(fixture.ledger, host: host, at: 500, ends: nil) { $0.resources.gpuMemory = .gibibytes(2) }
        func told() async throws -> HistoryPage.Job? {
            try await fixture.ledger.history(HistoryQuery(until: at(10_000))).jobs.first
        }
        let first = try #require(try await told())
        #expect(first.gpuMemoryBytes == .gibibytes(8) && first.gpuModel == "A100" && first.gpuShare == false)
        #expect(try await fixture.ledger.waiting().map(\.resources.gpuMemory) == [.gibibytes(2)])
        let asked = try await fixture.ledger.jobs(JobFilter()).map(\.resources)
        #expect(asked.map(\.gpuMemory) == [.gibibytes(2), .gibibytes(8)] && asked.map(\.gpuShare) == [nil, false])
        #expect(try await fixture.ledger.job(id)?.record.resources.gpuModel == "A100")
        let edits = [
            "json_set(spec, '$.resources.gpu_memory_bytes', 'lots', '$.resources.gpu_model', 5, '$.resources.gpu_share', 'x')",
            "json_set(spec, '$.resources', 7)", "'nonsense'",
        ]
        for edit in edits {
            try await fixture.ledger.write("edit") { db in
                try db.execute(sql: "UPDATE jobs SET spec = \(edit) WHERE id = \(id.number)")
            }
            let told = try #require(try await told(), "\(edit)")
            #expect(
                told.gpus == 1 && told.gpuMemoryBytes == nil && told.gpuModel == nil && told.gpuShare == nil, "\(edit)")
            #expect(try await fixture.ledger.jobs(JobFilter()).count == 2, "\(edit)")
        }
    }

    @Test func aJobIsToldAsItWasAskedForAndAsItRan() async throws {
        let (fixture, host) = try await ledger()
        let first = try await job(fixture.ledger, host: host, at: 0)
        try await job(fixture.ledger, host: host, at: 5, ends: .failed, isMetered: false) {
            $0.resources.timeLimit = 600
            $0.schedule = .init(
                notBefore: self.at(60), after: [Dependency(JobReference(first))], interruptible: true)
        }
        try await job(fixture.ledger, host: host, at: 6, ends: nil)
        let (jobs, next) = try await fixture.ledger.history(HistoryQuery(until: at(1000)))
        #expect(next == nil && jobs.count == 2, "one that never ran is not there")
        #expect(
            jobs.first
                == HistoryPage.Job(
                    id: first, name: "train", user: "u1", project: "p", queue: "batch", cpus: 2,
                    memoryBytes: .gibibytes(3), gpus: 1, submittedAt: at(0), durationS: 100, waitedS: 10, powerW: 5,
                    state: .succeeded, kind: "ffffffffffffffff"))
        let second = try #require(jobs.last)
        #expect(second.timeLimitS == 600 && second.notBefore == at(60) && second.interruptible)
        #expect(second.waitedForOthers && second.powerW == nil && second.state == .failed)
    }

    /// Nonsense in the place of what was stated is nothing stated.
    @Test func whatPeopleWroteIntoADescriptionIsNotTaken() async throws {
        let (fixture, host) = try await ledger()
        let ids = [
            try await job(fixture.ledger, host: host, at: 0), try await job(fixture.ledger, host: host, at: 1),
            try await job(fixture.ledger, host: host, at: 2),
        ]
        let texts = [
            #"{"schedule": {"deadline": "2023-11-16T00:00:00Z", "interruptible": 1}}"#, "{",
            #"{"schedule": {"deadline": 7, "after": 3}, "resources": {"time_limit_s": "x"}}"#,
        ]
        for (id, text) in zip(ids, texts) {
            try await fixture.ledger.pool.write { db in
                try db.execute(sql: "UPDATE jobs SET spec = ? WHERE id = ?", arguments: [text, id.number])
            }
        }
        let jobs = try await fixture.ledger.history(HistoryQuery(until: at(1000))).jobs
        #expect(jobs.map(\.deadline) == [start.advanced(by: .seconds(86_400)), nil, nil])
        #expect(jobs.allSatisfy { !$0.interruptible && !$0.waitedForOthers && $0.timeLimitS == nil })
    }

    @Test func suspensionIsNoComputing() async throws {
        let (fixture, host) = try await ledger()
        let id = try await job(fixture.ledger, host: host, at: 0)
        try await fixture.ledger.pool.write { db in
            try db.execute(
                sql: "UPDATE attempts SET suspended_us = 50000000 WHERE job_id = ?", arguments: [id.number])
        }
        let job = try #require(try await fixture.ledger.history(HistoryQuery(until: at(1000))).jobs.first)
        #expect(job.durationS == 50 && job.powerW == 10)
    }

    /// Every job once, whatever the pages' length, the period and the holes in the numbers.
    @Test(arguments: 0..<20) func pagesTogetherAreTheWhole(seed: Int) async throws {
        var random = Seeded(UInt64(seed))
        let (fixture, host) = try await ledger()
        var all: [(id: JobID, submit: Double, uid: UInt32)] = []
        var now = 0.0
        for _ in 0..<Int.random(in: 1...40, using: &random) {
            now += Double(Int.random(in: 0...3, using: &random))
            let uid = UInt32.random(in: 1...3, using: &random)
            let id = try await job(fixture.ledger, host: host, at: now, uid: uid, isMetered: false)
            all.append((id, now, uid))
        }
        let gone = try #require(all.randomElement(using: &random)).id
        try await fixture.ledger.pool.write { db in
            for table in ["transitions", "attempts", "baselines"] {
                try db.execute(sql: "DELETE FROM \(table) WHERE job_id = ?", arguments: [gone.number])
            }
            try db.execute(sql: "DELETE FROM jobs WHERE id = ?", arguments: [gone.number])
        }
        let since = Bool.random(using: &random) ? Double(Int.random(in: -1...60, using: &random)) : nil
        let until = Double(Int.random(in: 0...90, using: &random))
        let uid = Bool.random(using: &random) ? UInt32(1) : nil
        var query = HistoryQuery(
            since: since.map(at), until: at(until), uid: uid, limit: Int.random(in: 1...9, using: &random))
        var found: [JobID] = []
        for _ in 0..<100 {
            let (jobs, next) = try await fixture.ledger.history(query)
            #expect(jobs.count <= query.limit)
            found += jobs.map(\.id)
            query.after = next
            if next == nil { break }
        }
        let wanted = all.filter { job in
            job.id != gone && job.submit >= since ?? -1 && job.submit < until && (uid.map { $0 == job.uid } ?? true)
        }
        #expect(query.after == nil && found == wanted.map(\.id))
    }

    @Test func theIntensityInForceAtTheBeginningIsThere() async throws {
        let (fixture, _) = try await ledger()
        for (seconds, grams) in [(0.0, 400.0), (100, 300), (200, 200)] {
            try await fixture.ledger.recordIntensity(
                from: at(seconds), zone: "DE", intensity: .init(gramsPerKilowattHour: grams), pue: 1, source: "test")
        }
        func grams(_ since: Double?, _ until: Double) async throws -> [Double] {
            try await fixture.ledger.intensities(from: since.map(at), to: at(until)).map(\.gPerKwh)
        }
        #expect(try await grams(nil, 1000) == [400, 300, 200])
        #expect(try await grams(100, 1000) == [300, 200])
        #expect(try await grams(150, 200) == [300])
        #expect(try await grams(-5, 50) == [400])
    }
}
