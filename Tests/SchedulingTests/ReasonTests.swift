import JobAPI
import Policy
import Testing
import Units

@testable import Scheduling

@Suite struct ReasonTests {
    private let full = { () -> Scheduler in
        var scheduler = Scheduler(capacity: vector(4, gib: 8, gpus: 1))
        scheduler.started(
            ActiveJob(id: JobID(12), uid: 9, request: vector(1), startedAt: t(0), expectedEnd: t(3600)))
        scheduler.started(ActiveJob(id: JobID(14), uid: 9, request: vector(1), startedAt: t(0), expectedEnd: t(60)))
        return scheduler
    }()

    @Test func noReasonWithoutWaiting() {
        #expect(full.reason(for: JobID(12), now: t(0)) == nil)
        #expect(full.reason(for: JobID(99), now: t(0)) == nil)
    }

    @Test func resources() {
        var scheduler = full
        scheduler.add(waiting(20, vector(4, gib: 7)))
        _ = scheduler.plan(now: t(1))
        #expect(
            scheduler.text(20, at: 1)
                == "waits for 2 of 4 cpus and 1 GiB of 7 GiB: held by jobs 14, 12; expected by 2023-11-14T23:13:20Z")
        #expect(scheduler.hint(20, at: 1) == "it is next; sooner if those jobs end before their time limits")
    }

    @Test func onlyTheHoldersOfWhatIsMissing() {
        var scheduler = full
        scheduler.started(ActiveJob(id: JobID(15), uid: 9, request: vector(1, gpus: 1), startedAt: t(0)))
        scheduler.add(waiting(20, vector(1, gpus: 1)))
        #expect(
            scheduler.text(20, at: 1)
                == "waits for 1 of 1 gpu: held by job 15; no telling when: they have no time limit")
        #expect(scheduler.hint(20, at: 1) == "it is next: what becomes free is kept for it")
    }

    @Test func manyHoldersAreCounted() {
        var scheduler = Scheduler(capacity: vector(8, gib: 99))
        for id in 1...8 as ClosedRange<Int64> {
            scheduler.started(ActiveJob(id: JobID(id), uid: 9, request: vector(1), startedAt: t(0)))
        }
        scheduler.add(waiting(20))
        #expect(scheduler.text(20, at: 1)?.contains("held by jobs 1, 2, 3, 4, 5 and 3 more;") ?? false)
    }

    @Test func behindAnother() {
        var scheduler = full
        scheduler.add(waiting(20, vector(4)))
        scheduler.add(waiting(21, vector(3), at: 1))
        scheduler.add(waiting(22, vector(1), at: 2))
        #expect(scheduler.text(21, at: 10) == "waits for 1 of 3 cpus: held by jobs 14, 12; job 20 goes first")
        #expect(
            scheduler.text(22, at: 10)
                == "would fit, but job 20 is ahead of it and needs 4 cpus and 1 GiB from 2023-11-14T23:13:20Z")
        #expect(scheduler.hint(22, at: 10) == "with a time limit of at most 59 min 50 s it would start now")
        // The hint is true.
        scheduler.add(waiting(22, vector(1), at: 2, limit: 3590))
        #expect(scheduler.plan(now: t(10)).starts == [JobID(22)])
    }

    @Test func behindAnotherThatWaitsForTheEndless() {
        var scheduler = Scheduler(capacity: vector(4, gib: 8))
        scheduler.started(ActiveJob(id: JobID(1), uid: 9, request: vector(2), startedAt: t(0)))
        scheduler.add(waiting(20, vector(4)))
        scheduler.add(waiting(21, at: 1, limit: 5))
        #expect(
            scheduler.text(21, at: 10)
                == "would fit, but job 20 is ahead of it and needs 4 cpus and 1 GiB as soon as jobs without a time limit end"
        )
        #expect(scheduler.hint(21, at: 10) == "it starts after job 20")
    }

    @Test func notBeforeAndHeld() {
        var scheduler = full
        var job = waiting(20, notBefore: 90)
        scheduler.add(job)
        #expect(scheduler.text(20, at: 0) == "not before 2023-11-14T22:14:50Z")
        #expect(scheduler.hint(20, at: 0) == "starts at 2023-11-14T22:14:50Z at the earliest, in 1 min 30 s")
        #expect(scheduler.text(20, at: 90) == "waits for the next plan")
        job.held = true
        job.note = "held by rule \"r\" (p.toml:1)"
        job.rule = RuleReference(file: "p.toml", line: 1, name: "r")
        scheduler.add(job)
        #expect(
            scheduler.reason(for: JobID(20), now: t(0))
                == WaitReason(
                    "held by rule \"r\" (p.toml:1)", rule: job.rule,
                    hint: "release it with mlctl release 20, or ask an admin to"))
    }

    /// What a list says of each is what asking for one says.
    @Test func manyAtOnceAreToldTheSameAsOne() {
        var scheduler = Scheduler(capacity: vector(4, gib: 8, gpus: 1), maxRunningPerUser: limit(2))
        for id in 1...2 as ClosedRange<Int64> {
            scheduler.started(
                ActiveJob(id: JobID(id), uid: 9, request: vector(1), startedAt: t(0), expectedEnd: t(60)))
        }
        scheduler.add(waiting(20, vector(4)))
        for id in 21..<60 as Range<Int64> {
            scheduler.add(
                waiting(
                    id, vector(1 + Int(id % 3), gpus: Int(id % 2)), uid: UInt32(id % 5) + 5, at: Double(id),
                    notBefore: id % 11 == 0 ? 90 : nil, held: id % 13 == 0, limit: id % 4 == 0 ? 30 : nil))
        }
        for started in [false, true] {
            if started { #expect(!scheduler.run(at: 1).isEmpty) }
            let ids = (1...99 as ClosedRange<Int64>).map { JobID($0) }
            let reasons = scheduler.reasons(for: ids, now: t(1))
            for id in ids { #expect(reasons[id] == scheduler.reason(for: id, now: t(1))) }
            #expect(reasons.count == scheduler.pendingCount)
            #expect(Set(reasons.values.map(\.text)).count > 5)
        }
    }

    @Test func theUsersLimit() {
        var scheduler = Scheduler(capacity: vector(4, gib: 8), maxRunningPerUser: limit(1))
        scheduler.add(waiting(1))
        scheduler.add(waiting(2))
        #expect(scheduler.text(1, at: 0) == "about to start")
        #expect(scheduler.text(2, at: 0) == "waits for the next plan")
        #expect(scheduler.run(at: 0) == [1])
        let reason = scheduler.reason(for: JobID(2), now: t(0))
        #expect(reason?.text == "limits.max-running-per-user is 1 (x.toml:12): job 1 runs")
        #expect(reason?.rule?.line == 12)
    }
}
