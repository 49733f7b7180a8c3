import Carbon
import JobAPI
import Policy
import TestSupport
import Testing
import Units

@testable import Scheduling

/// Jobs that may be deferred are planned around each other.
@Suite struct BookingTests {
    /// Hour 3 is the cheapest, then 2, then 1.
    private func scheduler(_ capacity: ResourceVector = vector(4, gib: 64)) throws -> Scheduler {
        var scheduler = Scheduler(capacity: capacity)
        scheduler.adopt(forecast: try forecast([500, 300, 200, 100, 400, 400]), now: t(h(0)))
        return scheduler
    }

    @Test func noMoreArePlannedForAnHourThanItHolds() throws {
        var scheduler = try scheduler()
        for id in 1...12 { scheduler.add(flexible(Int64(id), deadline: 4)) }
        #expect(scheduler.run(at: h(0)) == [])
        #expect(scheduler.run(at: h(1)) == [9, 10, 11, 12])
        for id in 9...12 { scheduler.ended(JobID(Int64(id))) }
        #expect(scheduler.run(at: h(2)) == [5, 6, 7, 8])
        let reason = scheduler.reason(for: JobID(1), now: t(h(2)))
        #expect(reason?.text.contains("sooner hours") == false)
        for id in 5...8 { scheduler.ended(JobID(Int64(id))) }
        #expect(scheduler.run(at: h(3)) == [1, 2, 3, 4])
    }

    @Test func whereNoHourIsLeftADeadlineMeansAtOnce() throws {
        var scheduler = try scheduler(vector(1, gib: 64))
        for id in 1...4 { scheduler.add(flexible(Int64(id), deadline: 4)) }
        scheduler.add(flexible(5, deadline: 4))
        // Without a deadline it may be late: it waits for the cheapest hour all the same.
        scheduler.add(flexible(6, latestStart: 3))
        #expect(scheduler.run(at: h(0)) == [4])
        #expect(scheduler.pendingJob(JobID(5)) != nil && scheduler.futureCount == 4)
    }

    @Test func aLaterHourIsTakenWhereSoonerOnesAreFull() throws {
        var scheduler = try scheduler(vector(1, gib: 64))
        scheduler.adopt(forecast: try forecast([500, 100, 300, 200]), now: t(h(0)))
        scheduler.add(flexible(1, latestStart: 3))
        scheduler.add(flexible(2, latestStart: 3))
        #expect(scheduler.run(at: h(1)) == [1])
        let reason = scheduler.reason(for: JobID(2), now: t(h(1)))
        #expect(reason?.text.contains("deferred until \(t(h(3)))") == true, "\(String(describing: reason))")
        #expect(reason?.text.contains("sooner hours that are as good are booked") == true)
        scheduler.ended(JobID(1))
        #expect(scheduler.run(at: h(3)) == [2])
    }

    /// What is given back is free again, with the next forecast for those that were planned around it.
    @Test func whoIsCancelledLeavesItsHour() throws {
        var scheduler = try scheduler(vector(1, gib: 64))
        scheduler.add(flexible(1, deadline: 4))
        scheduler.add(flexible(2, deadline: 4))
        scheduler.remove(JobID(1))
        scheduler.add(flexible(3, deadline: 4))
        #expect(scheduler.run(at: h(2)) == [2])
        scheduler.ended(JobID(2))
        #expect(scheduler.run(at: h(3)) == [3])
        var other = try self.scheduler(vector(1, gib: 64))
        other.add(flexible(1, deadline: 4))
        other.add(flexible(2, deadline: 4))
        other.remove(JobID(1))
        other.adopt(forecast: try forecast([500, 300, 200, 100]), now: t(h(0.5)))
        #expect(other.run(at: h(2)) == [] && other.run(at: h(3)) == [2])
    }

    /// Six of ten minutes fit into an hour of one CPU, one after the other; the seventh goes elsewhere.
    @Test func shortOnesRunOneAfterTheOther() throws {
        var scheduler = try scheduler(vector(1, gib: 64))
        for id in 1...7 { scheduler.add(flexible(Int64(id), hours: 1 / 6.0, deadline: 4)) }
        #expect(scheduler.futureCount == 7)
        #expect(scheduler.run(at: h(2)) == [7])
        scheduler.ended(JobID(7))
        var starts: [Int64] = []
        for minute in stride(from: 0.0, to: 60, by: 10) {
            let ids = scheduler.run(at: h(3) + minute * 60)
            for id in ids { scheduler.ended(JobID(id)) }
            starts += ids
        }
        #expect(starts.sorted() == [1, 2, 3, 4, 5, 6])
    }

    @Test func oneThatRunsThroughKeepsWhatItNeeds() {
        var bookings = Bookings()
        let hour = ShiftPlanner.Run(from: t(h(1)), to: t(h(2)))
        let tail = ShiftPlanner.Run(from: t(h(1)), to: t(h(1.25)))
        let capacity = vector(4, gib: 64).booked
        bookings.book(JobID(1), .init(amounts: vector(2).booked, runs: [hour]))
        // It would have to wait until the other ends.
        #expect(!bookings.hasRoom(for: vector(3).booked, [tail], by: t(h(9)), of: capacity))
        #expect(bookings.hasRoom(for: vector(2).booked, [tail], by: t(h(9)), of: capacity))
        // It may have to wait for others of its kind, and not so long.
        #expect(!bookings.hasRoom(for: vector(2).booked, [tail], by: t(h(1.25)), of: capacity))
        bookings.book(JobID(2), .init(amounts: vector(2).booked, runs: [tail]))
        #expect(bookings.hasRoom(for: vector(2).booked, [tail], by: t(h(9)), of: capacity))
        #expect(bookings.isFull(for: vector(1).booked, at: t(h(1)), of: capacity))
        #expect(!bookings.isFull(for: vector(2).booked, at: t(h(1.5)), of: capacity))
        bookings.release(JobID(2))
        bookings.release(JobID(1))
        #expect(bookings.hasRoom(for: vector(4).booked, [hour], by: t(h(2)), of: capacity))
    }

    /// Who only asked, or went again, leaves nothing behind, also where others have booked the same slot.
    @Test func whatIsGivenBackIsGivenBackWhole() {
        var bookings = Bookings()
        let capacity = vector(4, gib: 64).booked
        let half = ShiftPlanner.Run(from: t(h(1)), to: t(h(1.5)))
        let part = ShiftPlanner.Run(from: t(h(1)), to: t(h(1.25)))
        bookings.book(JobID(1), .init(amounts: vector(1).booked, runs: [part]))
        bookings.book(JobID(2), .init(amounts: vector(4).booked, runs: [part]))
        #expect(!bookings.hasRoom(for: vector(2).booked, [half], by: t(h(9)), of: capacity))
        bookings.release(JobID(2))
        #expect(bookings.hasRoom(for: vector(2).booked, [half], by: t(h(9)), of: capacity))
    }

    /// Whom it does not meet is not in its way: who has the slot after its last.
    @Test func onlyTheSlotsItMeetsCount() throws {
        var scheduler = try scheduler(vector(1, gib: 64))
        scheduler.adopt(forecast: try forecast([500, 100, 400, 200, 150, 600]), now: t(h(0)))
        scheduler.add(flexible(1, deadline: 2))
        scheduler.add(flexible(2, deadline: 5))
        scheduler.add(flexible(3, deadline: 4))
        for (hour, ids) in [(1, [1]), (2, []), (3, [3]), (4, [2])] as [(Double, [Int64])] {
            #expect(scheduler.run(at: h(hour)) == ids)
            for id in ids { scheduler.ended(JobID(id)) }
        }
    }

    @Test func thoseThatMayBeSuspendedAreKeptApartToo() throws {
        var scheduler = try scheduler(vector(1, gib: 64))
        for id in 1...3 { scheduler.add(flexible(Int64(id), deadline: 4, interruptible: true)) }
        #expect(scheduler.run(at: h(1)) == [3])
        scheduler.ended(JobID(3))
        #expect(scheduler.run(at: h(2)) == [2])
        scheduler.ended(JobID(2))
        #expect(scheduler.run(at: h(3)) == [1])
    }

    /// Whatever is asked for: as long as all are planned around each other, none is late.
    @Test(arguments: 1...40) func aDeadlineIsKeptAgainstOthersThatAreDeferred(seed: UInt64) throws {
        var random = Seeded(seed)
        let cpus = Int.random(in: 1...6, using: &random)
        var scheduler = Scheduler(capacity: vector(cpus, gib: Int64(4 * cpus)))
        let values = (0..<48).map { _ in Double(Int.random(in: 50...600, using: &random)) }
        scheduler.adopt(forecast: try forecast(values), now: t(h(0)))
        // Of whole half hours, no more than two thirds of what there is.
        var room = Double(cpus) * 48 * 2 / 3
        var ends: [Int64: Double] = [:]
        var due: [Int64: Double] = [:]
        var id: Int64 = 0
        while room > 0 {
            id += 1
            let hours = Double(Int.random(in: 1...8, using: &random)) / 2
            let needs = Int.random(in: 1...cpus, using: &random)
            let deadline = Double(Int.random(in: 48...96, using: &random)) / 2
            room -= hours * Double(needs)
            let before = scheduler.futureCount
            scheduler.add(
                flexible(
                    id, vector(needs, gib: Int64.random(in: 1...4, using: &random)), hours: hours, deadline: deadline,
                    limit: hours * 3600))
            // One that starts as soon as it can is no matter of a plan.
            guard scheduler.futureCount > before else {
                scheduler.remove(JobID(id))
                continue
            }
            due[id] = deadline
            ends[id] = hours
        }
        var running: [Int64: Double] = [:]
        var used = 0
        for half in 0..<96 {
            let now = Double(half) / 2
            for (id, end) in running where end <= now {
                scheduler.ended(JobID(id))
                running[id] = nil
            }
            for id in scheduler.run(at: h(now)) {
                let end = now + (ends[id] ?? 0)
                running[id] = end
                used += 1
                #expect(end <= due[id] ?? 0, "seed \(seed): job \(id) ends at \(end) h, due at \(due[id] ?? 0) h")
            }
        }
        #expect(used == due.count, "seed \(seed)")
    }
}
