import JobAPI
import Ledger
import Scheduling
import Testing
import Units

@testable import Daemon

/// Jobs on their way into the daemon's hands.
@Suite struct TakeUpTests {
    /// What an adopted job used before the first reading is not billed, and nothing is read before it is counted in.
    @Test func theFirstReadingCountsInWhatRuns() async throws {
        try await DaemonParts.with { parts in
            #expect(await parts.meter.firstRead == nil)
            await parts.meter.begin([parts.tracked(JobID(7), cpuSeconds: 1000)])
            #expect(await parts.meter.firstRead != nil)
            #expect(await parts.meter.pending.isEmpty)
            #expect(await parts.meter.tracked[JobID(7)]?.lastCPU == 1000)
        }
    }

    @Test func aJobIsHeldAsTheNextDaemonWouldHoldIt() async throws {
        try await DaemonParts.with { parts in
            for (held, time) in [(false, nil), (true, nil), (false, Timestamp.now().advanced(by: .seconds(60)))] {
                var new = parts.newJob()
                new.held = held
                new.notBefore = time
                let id = try await parts.ledger.accept(new)
                let stored = LiveJob(try #require(try await parts.ledger.job(id)))
                let job = LiveJob(id, new)
                #expect(job.pending == stored.pending)
                #expect(job.spec == stored.spec)
                #expect((job.user, job.uid, job.gid) == (stored.user, stored.uid, stored.gid))
                #expect(job.state == stored.state && job.attempt == stored.attempt)
                #expect(job.queue == stored.queue && job.timeLimit == stored.timeLimit)
            }
        }
    }

    @Test func whatCouldNotBeStartedNowWaitsAgainAndSaysWhy() async throws {
        try await DaemonParts.with { parts in
            let stored = try await parts.startedJob()
            let id = stored.record.id
            await parts.jobs.put(stored)
            let later = Timestamp.now().advanced(by: .seconds(3600))
            await parts.jobs.queueAgain(id, "no descriptors left", retryAt: later)
            #expect(try await parts.ledger.job(id)?.record.state == .queued)
            #expect(await parts.jobs.live[id]?.state == .queued)
            #expect(await parts.jobs.scheduler.isPending(id))
            #expect(await parts.jobs.scheduler.active[id] == nil)
            #expect(await parts.jobs.scheduler.reason(for: id, now: .now())?.text == "no descriptors left")
            // The next attempt has a number of its own.
            #expect(try await parts.ledger.beginAttempt(id, bootID: "this", at: .now()) == 2)
        }
    }
}
