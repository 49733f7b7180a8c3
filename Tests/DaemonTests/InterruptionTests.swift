import Foundation
import JobAPI
import JobClient
import Ledger
import Testing

/// Jobs that stand still, are stopped to wait again, or are tried again.
@Suite(.serialized) struct InterruptionTests {
    private let counts = ["sh", "-c", "while [ ! -e go ]; do echo x >> ticks; sleep 0.02; done"]

    private func ticks(_ daemon: RunningDaemon) -> Int {
        (try? Data(contentsOf: URL(fileURLWithPath: daemon.work + "/ticks")).count) ?? 0
    }

    /// Waits until the job has written more.
    private func goesOn(_ daemon: RunningDaemon, from before: Int) async throws -> Bool {
        for _ in 0..<400 {
            if ticks(daemon) > before { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    /// Waits until the job has written nothing more for a while.
    private func standsStill(_ daemon: RunningDaemon) async throws -> Bool {
        for _ in 0..<100 {
            let before = ticks(daemon)
            try await Task.sleep(for: .milliseconds(400))
            if ticks(daemon) == before { return true }
        }
        return false
    }

    @Test func aSuspendedJobStandsStillAlsoAfterACrashAndGoesOnWhenResumed() async throws {
        try await RunningDaemon.with { daemon in
            let id = try await daemon.submit(counts)
            #expect(try await goesOn(daemon, from: 0))
            let suspended = try await daemon.client { try await $0.act(.suspend, on: id) }
            #expect(suspended.state == .suspended && suspended.reason.hasPrefix("suspended by "))
            #expect(try await standsStill(daemon))
            await #expect(throws: ClientError.self) { try await daemon.client { try await $0.act(.suspend, on: id) } }
            await daemon.crash()
            try await daemon.start()
            #expect(try await daemon.client { try await $0.job(id) }.job.state == .suspended)
            #expect(try await standsStill(daemon))
            let before = ticks(daemon)
            _ = try await daemon.client { try await $0.act(.resume, on: id) }
            #expect(try await goesOn(daemon, from: before))
            try daemon.touch("go")
            let detail = try await daemon.ended(id)
            #expect(detail.job.state == .succeeded && detail.job.attempt == 1)
            #expect(
                detail.transitions.map(\.to) == [.queued, .starting, .running, .suspended, .running, .succeeded])
        }
    }

    @Test func aSuspendedJobCanBeCancelled() async throws {
        try await RunningDaemon.with { daemon in
            let id = try await daemon.submit(counts)
            #expect(try await goesOn(daemon, from: 0))
            _ = try await daemon.client { try await $0.act(.suspend, on: id) }
            _ = try await daemon.client { try await $0.cancel(id) }
            #expect(try await daemon.ended(id).job.state == .cancelled)
        }
    }

    @Test func timeStoodStillDoesNotCountAgainstTheLimit() async throws {
        try await RunningDaemon.with { daemon in
            let id = try await daemon.submit(["sleep", "2"]) { $0.resources.timeLimit = 4 }
            _ = try await daemon.reaches(id) { $0.state == .running }
            _ = try await daemon.client { try await $0.act(.suspend, on: id) }
            // Longer than what is left of the limit: no bound on how late the rest is, only on its being too early.
            try await Task.sleep(for: .seconds(5))
            _ = try await daemon.client { try await $0.act(.resume, on: id) }
            #expect(try await daemon.ended(id).job.state == .succeeded)
        }
    }

    /// The ledger knows since when, so that a restart gives no more time.
    @Test(arguments: [false, true])
    func aJobStandsStillNoLongerThanItsQueueAllows(isRestarted: Bool) async throws {
        try await RunningDaemon.with(policy: "[queue.a]\ndefault = true\nmax-suspended = \"3 s\"\n") { daemon in
            let id = try await daemon.submit(counts)
            #expect(try await goesOn(daemon, from: 0))
            _ = try await daemon.client { try await $0.act(.suspend, on: id) }
            if isRestarted {
                await daemon.stop()
                try await daemon.start()
            }
            let running = try await daemon.reaches(id) { $0.state == .running }
            let cause = try #require(running.transitions.last).cause
            #expect(
                cause.hasPrefix(
                    "resumed by mld: it has stood still as long as queue \"a\" allows, 3 s (queue.a.max-suspended"),
                "\(cause)")
            #expect(try await goesOn(daemon, from: ticks(daemon)))
            let error = await #expect(throws: ClientError.self) {
                try await daemon.client { try await $0.act(.suspend, on: id) }
            }
            #expect("\(String(describing: error))".contains("has stood still as long as queue"))
            try daemon.touch("go")
            #expect(try await daemon.ended(id).job.state == .succeeded)
        }
    }

    /// Also one that stands still already.
    @Test func aReloadChangesHowLongAJobMayStandStill() async throws {
        func policy(_ limit: String) -> String { "[queue.a]\ndefault = true\nmax-suspended = \"\(limit)\"\n" }
        try await RunningDaemon.with(policy: policy("8 h")) { daemon in
            let id = try await daemon.submit(counts)
            #expect(try await goesOn(daemon, from: 0))
            _ = try await daemon.client { try await $0.act(.suspend, on: id) }
            try daemon.write(policy: policy("1 s"))
            #expect(try daemon.mlctl("policy", "reload").status == 0)
            let running = try await daemon.reaches(id) { $0.state == .running }
            let cause = try #require(running.transitions.last).cause
            #expect(cause.contains("queue \"a\" allows, 1 s (queue.a.max-suspended"), "\(cause)")
            try daemon.touch("go")
            #expect(try await daemon.ended(id).job.state == .succeeded)
        }
    }

    /// It takes its time over it.
    @Test func aJobThatIsBeingEndedSaysSo() async throws {
        try await RunningDaemon.with { daemon in
            let script = "trap '' TERM; echo x >> ticks; while [ ! -e go ]; do sleep 0.02; done"
            let id = try await daemon.submit(["sh", "-c", script])
            #expect(try await goesOn(daemon, from: 0))
            let requeued = try await daemon.client { try await $0.act(.requeue, on: id) }
            #expect(requeued.reason.hasPrefix("being stopped to wait again: requeued by "), "\(requeued.reason)")
            let cancelled = try await daemon.client { try await $0.cancel(id) }
            #expect(cancelled.reason.hasPrefix("being ended: cancelled by "), "\(cancelled.reason)")
            let why = try daemon.mlctl("why", "\(id)")
            #expect(why.out.contains("being ended: cancelled by "), "\(why)")
            try daemon.touch("go")
            let end = try await daemon.ended(id).job
            #expect(end.state == .cancelled && end.reason.hasPrefix("cancelled by "))
        }
    }

    @Test func aJobIsWarnedWithItsSignalBeforeItsLimit() async throws {
        try await RunningDaemon.with { daemon in
            let script = "trap 'echo warned; exit 0' USR1; while :; do sleep 0.05; done"
            let id = try await daemon.submit(["sh", "-c", script]) {
                $0.resources.timeLimit = 60
                $0.schedule.warnBefore = 57
                $0.schedule.warnSignal = .usr1
            }
            let job = try await daemon.ended(id).job
            #expect(job.state == .succeeded, "\(job.reason)")
            #expect(try await daemon.logs(id, .stdout) == "warned\n")
            #expect(try await daemon.logs(id, .stderr).contains("57 s left of the time limit of 60 s"))
        }
    }

    @Test func aJobThatDiesOfItsWarningTimedOutAndIsNotTriedAgain() async throws {
        try await RunningDaemon.with { daemon in
            let id = try await daemon.submit(["sleep", "60"]) {
                $0.resources.timeLimit = 30
                $0.schedule.warnBefore = 29
                $0.schedule.warnSignal = .term
                $0.schedule.retries = 1
            }
            let job = try await daemon.ended(id).job
            #expect(job.state == .timedOut && job.attempt == 1)
            #expect(job.reason.hasPrefix("ended by SIGTERM, sent as it asked (warn-signal)"), "\(job.reason)")
        }
    }

    @Test func aRequeuedJobIsAskedToStopAndRunsAgain() async throws {
        try await RunningDaemon.with { daemon in
            let script = """
                trap 'echo saved > checkpoint; exit 0' TERM
                if [ -e checkpoint ]; then echo resumed $MLD_ATTEMPT; exit 0; fi
                echo x >> ticks
                while :; do sleep 0.02; done
                """
            let id = try await daemon.submit(["sh", "-c", script])
            #expect(try await goesOn(daemon, from: 0))
            let requeued = try daemon.mlctl("requeue", "\(id)")
            #expect(requeued.status == 0)
            let detail = try await daemon.ended(id)
            #expect(detail.job.state == .succeeded && detail.job.attempt == 2)
            #expect(try await daemon.logs(id, .stdout) == "resumed 2\n")
            let again = try #require(detail.transitions.first { $0.from != nil && $0.to == .queued })
            #expect(again.cause.hasPrefix("stopped to wait again, requeued by "))
        }
    }

    /// As a machine that shuts down does: the supervisors are told to end by the system.
    @Test func aShutdownLosesAJobAndOneThatMayBeInterruptedRunsAgain() async throws {
        try await RunningDaemon.with { daemon in
            let script = "[ $MLD_ATTEMPT = 2 ] || { echo x >> ticks; sleep 600; }"
            let plain = try await daemon.submit(["sh", "-c", "echo y >> plain; sleep 600"])
            let interruptible = try await daemon.submit(["sh", "-c", script]) { $0.schedule.interruptible = true }
            #expect(try await goesOn(daemon, from: 0))
            _ = try await daemon.reaches(plain) { $0.state == .running }
            await daemon.stop()
            let ledger = try Ledger(path: daemon.state + "/ledger.db")
            for id in [plain, interruptible] {
                let pid = try #require(try await ledger.job(id)?.supervisorPID)
                kill(pid, SIGTERM)
            }
            try ledger.close()
            try await daemon.start()
            let lost = try await daemon.ended(plain).job
            #expect(lost.state == .lost && lost.reason == "stopped from outside, as when the machine shuts down")
            let again = try await daemon.ended(interruptible)
            #expect(again.job.state == .succeeded && again.job.attempt == 2)
        }
    }

    @Test func aJobThatHasEndedIsSubmittedAnew() async throws {
        try await RunningDaemon.with { daemon in
            let id = try await daemon.submit(["sh", "-c", "exit 3"])
            _ = try await daemon.ended(id)
            let requeued = try daemon.mlctl("requeue", "\(id)")
            #expect(requeued.status == 0)
            #expect(requeued.out.contains("(a copy of job \(id), which had ended)"))
            #expect(try await daemon.ended(JobID(id.number + 1)).job.exitStatus == 3)
            #expect(try await daemon.client { try await $0.job(id) }.job.state == .failed)
        }
    }

    @Test func aFailingJobIsTriedAgainAsOftenAsItSaid() async throws {
        try await RunningDaemon.with { daemon in
            let id = try await daemon.submit(["sh", "-c", "echo $MLD_ATTEMPT; [ $MLD_ATTEMPT = 3 ]"]) {
                $0.schedule.retries = 5
                $0.schedule.retryDelay = 1
            }
            let detail = try await daemon.ended(id)
            #expect(detail.job.state == .succeeded && detail.job.attempt == 3)
            #expect(try await daemon.logs(id) == "1\n2\n3\n")
            let retries = detail.transitions.filter { $0.to == .queued && $0.from != nil }.map(\.cause)
            #expect(retries.count == 2 && retries.allSatisfy { $0.contains("exited with status 1; retry ") })
        }
    }
}
