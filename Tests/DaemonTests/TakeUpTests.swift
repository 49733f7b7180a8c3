import JobAPI
import Ledger
import Policy
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
            let machine = MachineCapacity(
                cpus: 4, memory: .gibibytes(1), gpus: 1, cards: [.init(model: "NVIDIA A100", memory: .gibibytes(40))])
            for (held, time) in [(false, nil), (true, nil), (false, Timestamp.now().advanced(by: .seconds(60)))] {
                var new = parts.newJob()
                new.held = held
                new.spec.resources.gpus = held ? 1 : 0
                new.spec.resources.gpuMemory = .gibibytes(4)
                new.spec.resources.gpuModel = "a100"
                new.spec.resources.gpuShare = time == nil ? nil : false
                new.notBefore = time
                let id = try await parts.ledger.accept(new)
                let waiting = try await parts.ledger.waiting()
                #expect(
                    try PendingJob(#require(waiting.last), on: machine, account: "a")
                        == PendingJob(id, new, on: machine, account: "a"))
            }
        }
    }

    @Test func anElementIsHeldAsTheNextDaemonWouldHoldIt() async throws {
        try await DaemonParts.with { parts in
            let machine = await parts.jobs.machine
            let first = try await parts.ledger.accept(parts.newJob())
            var new = parts.newJob()
            new.after = [Dependency(JobReference(first), .ended)]
            let (array, elements) = try await parts.ledger.accept(new, indices: [3, 7], limit: 1)
            let waiting = try await parts.ledger.waiting()
            for (id, index) in zip(elements, [3, 7]) {
                let place = ArrayPlace(id: array, index: index)
                let job = PendingJob(id, new, on: machine, account: "", array: place, arrayLimit: 1)
                #expect(try PendingJob(#require(waiting.first { $0.id == id }), on: machine, account: "") == job)
                #expect(try await parts.ledger.element(place) == id)
            }
            #expect(elements.map(\.number) == [array.number + 1, array.number + 2])
            #expect(try await parts.ledger.job(array) == nil)
        }
    }

    @Test func whatCouldNotBeStartedNowWaitsAgainAndSaysWhy() async throws {
        try await DaemonParts.with { parts in
            let stored = try await parts.startedJob()
            let id = stored.record.id
            await parts.jobs.put(stored)
            let later = Timestamp.now().advanced(by: .seconds(3600))
            await parts.jobs.queueAgain(
                id, Ledger.Requeue(cause: "no descriptors left", attempt: "not-started", notBefore: later))
            #expect(try await parts.ledger.job(id)?.record.state == .queued)
            #expect(await parts.jobs.live[id] == nil)
            #expect(await parts.jobs.scheduler.isPending(id))
            #expect(await parts.jobs.scheduler.active[id] == nil)
            #expect(await parts.jobs.scheduler.reason(for: id, now: .now())?.text == "no descriptors left")
            // The next attempt has a number of its own.
            #expect(try await parts.ledger.beginAttempt(id, bootID: "this", at: .now()) == 2)
        }
    }
}
