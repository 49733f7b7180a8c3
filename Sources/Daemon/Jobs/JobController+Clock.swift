import Logging
import Scheduling
import Units

extension JobController {
    /// How far the wall clock is ahead of the one that nobody sets.
    static func clockOffset() -> Duration {
        .nanoseconds(
            Timestamp.now().microseconds.multipliedReportingOverflow(by: 1000).partialValue - Uptime.now().nanoseconds)
    }

    /// Sees whether the wall clock was set since the last look; corrections of a second or two are none.
    func noticeClockChange() {
        let offset = Self.clockOffset()
        let change = offset - lastClockOffset
        guard change > .seconds(2) || change < .seconds(-2) else { return }
        lastClockOffset = offset
        logger.notice(
            "the clock was set by \(change.seconds.rounded()) s; pauses before retries last as they were meant to")
        scheduler.clockSet(by: change)
    }
}
