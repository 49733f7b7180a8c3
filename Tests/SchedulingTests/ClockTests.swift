import JobAPI
import Testing
import Units

@testable import Scheduling

/// The wall clock is set while jobs wait for a time.
@Suite struct ClockTests {
    @Test(arguments: [-86_400.0, 7200])
    func aPauseLastsAsLongAsItWasMeantTo(change: Double) {
        var scheduler = Scheduler(capacity: vector(4, gib: 8))
        var paused = waiting(1, at: 0, notBefore: 60)
        paused.isPaused = true
        scheduler.add(paused)
        // A time that somebody named is that time by any clock.
        scheduler.add(waiting(2, at: 0, notBefore: 60))
        #expect(scheduler.run(at: 10) == [])
        scheduler.clockSet(by: .seconds(change))
        #expect(scheduler.run(at: 59 + change) == (change > 0 ? [2] : []))
        #expect(scheduler.run(at: 60 + change) == [1])
        #expect(scheduler.pendingJob(JobID(2)) == nil || change < 0)
        scheduler.remove(JobID(2))
        #expect(scheduler.pendingCount == 0 && scheduler.dueAt.isEmpty)
    }
}
