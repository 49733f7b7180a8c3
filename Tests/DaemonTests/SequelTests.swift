import JobAPI
import Ledger
import Testing
import Units

@testable import Daemon

/// What follows the end of an attempt.
@Suite struct SequelTests {
    private func job(_ parts: DaemonParts, change: (inout JobSpec.Schedule) -> Void) async throws -> LiveJob {
        let stored = try await parts.startedJob()
        var job = LiveJob(stored, on: await parts.jobs.machine, account: "")
        change(&job.spec.schedule)
        return job
    }

    private func requeue(_ sequel: Sequel) -> Ledger.Requeue? {
        if case .again(let requeue) = sequel { requeue } else { nil }
    }

    @Test func aFailureIsTriedAgainAfterPausesThatDoubleUntilTheRetriesAreUsedUp() async throws {
        try await DaemonParts.with { parts in
            var job = try await job(parts) { $0.retries = 3 }
            let now = Timestamp.now()
            let failed = Outcome(state: .failed, cause: "exited with status 1", end: nil)
            for (used, pause) in [(0, 10.0), (1, 20), (2, 40)] {
                job.retried = used
                let again = try #require(requeue(Sequel(failed, of: job, wasStopped: false, now: now)))
                #expect(again.isRetry && again.attempt == "failed")
                #expect(again.notBefore == now.advanced(by: .seconds(pause)))
                #expect(again.cause == "exited with status 1; retry \(used + 1) of 3 in \(Int(pause)) s")
            }
            job.retried = 3
            #expect(requeue(Sequel(failed, of: job, wasStopped: false, now: now)) == nil)
        }
    }

    @Test func noPauseIsLongerThanAnHour() async throws {
        try await DaemonParts.with { parts in
            var job = try await job(parts) {
                $0.retries = 100
                $0.retryDelay = 60
            }
            job.retried = 90
            let now = Timestamp.now()
            let failed = Outcome(state: .failed, cause: "x", end: nil)
            let again = try #require(requeue(Sequel(failed, of: job, wasStopped: false, now: now)))
            #expect(again.notBefore == now.advanced(by: .seconds(3600)))
        }
    }

    /// The same would come of it.
    @Test(arguments: [JobState.timedOut, .outOfMemory, .succeeded, .cancelled])
    func otherEndsAreNotTriedAgain(state: JobState) async throws {
        try await DaemonParts.with { parts in
            let job = try await job(parts) {
                $0.retries = 3
                $0.interruptible = true
            }
            let outcome = Outcome(state: state, cause: "x", end: nil)
            #expect(requeue(Sequel(outcome, of: job, wasStopped: false, now: .now())) == nil)
        }
    }

    @Test func aCommandThatCannotBeStartedIsNotTriedAgain() async throws {
        try await DaemonParts.with { parts in
            let job = try await job(parts) { $0.retries = 3 }
            let outcome = Outcome(state: .failed, cause: "x", end: nil)
            #expect(requeue(Sequel(outcome, of: job, wasStopped: false, couldStart: false, now: .now())) == nil)
        }
    }

    @Test func aLostJobWaitsAgainIfItSaidSo() async throws {
        try await DaemonParts.with { parts in
            let lost = Outcome(state: .lost, cause: "the machine restarted while it ran", end: nil)
            let plain = try await job(parts) { _ in }
            #expect(requeue(Sequel(lost, of: plain, wasStopped: false, now: .now())) == nil)
            let interruptible = try await job(parts) { $0.interruptible = true }
            let again = try #require(requeue(Sequel(lost, of: interruptible, wasStopped: false, now: .now())))
            #expect(!again.isRetry && again.attempt == "lost" && again.notBefore != nil)
            #expect(again.cause == "the machine restarted while it ran; queued again in 5 s, since it is interruptible")
            let retried = try await job(parts) { $0.retries = 1 }
            #expect(try #require(requeue(Sequel(lost, of: retried, wasStopped: false, now: .now()))).isRetry)
        }
    }

    @Test func whoIsStoppedToWaitAgainDoesUnlessItEndedByItselfOrIsCancelled() async throws {
        try await DaemonParts.with { parts in
            var job = try await job(parts) { _ in }
            job.requeuedBy = "ada"
            let stopped = Outcome(state: .cancelled, cause: "x", end: nil)
            let again = try #require(requeue(Sequel(stopped, of: job, wasStopped: true, now: .now())))
            #expect(again.attempt == "preempted" && again.cause == "stopped to wait again, requeued by ada")
            let ended = Outcome(state: .succeeded, cause: "exited with status 0", end: nil)
            #expect(requeue(Sequel(ended, of: job, wasStopped: false, now: .now())) == nil)
            job.cancelledBy = "bob"
            #expect(requeue(Sequel(stopped, of: job, wasStopped: true, now: .now())) == nil)
        }
    }
}
