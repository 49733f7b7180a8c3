import JobAPI
import Metering
import Units

/// The time in which no daemon read the meters: from the last reading that was booked to the first of this daemon.
struct Outage: Sendable, Hashable {
    /// A job that had not ended at the last reading, or began after it.
    struct Job: Sendable, Hashable {
        var id: JobID
        var attempt: Int
        /// On which it was started.
        var bootID: String?
        /// Of the attempt.
        var startedAt: Timestamp?
        /// By its record; nil where it runs or nobody knows.
        var endedAt: Timestamp?
        var isRunning: Bool
    }

    var start: Timestamp
    var end: Timestamp
    /// The clock was set meanwhile: times of before and of after cannot be compared.
    var isClockSet: Bool
    /// Those that ran in it.
    var jobs: [Job]

    /// On one boot its length is known by the clock of the boot. After another one it is not: how long the machine went on
    /// without a daemon nobody wrote down, but jobs that began or ended tell that it went on so far.
    /// - Returns: nil where there was none, or none that can be known.
    init?(from last: ReadingTime, to first: ReadingTime, jobs: [Job]) {
        self.jobs = jobs.filter { last.boot == nil || $0.bootID == last.boot?.id }
        isClockSet = false
        start = last.at
        if let before = last.boot, let now = first.boot, before.id == now.id {
            let length = now.uptime.since(before.uptime)
            guard length > .zero else { return nil }
            end = first.at
            // A day's drift is a few seconds.
            let tolerance = MeterSet.clockTolerance + length.seconds / 1000
            let wall = Self.length(from: last.at, to: first.at)
            if wall.map({ abs($0.seconds - length.seconds) > tolerance }) ?? true {
                isClockSet = true
                start = end.advanced(by: .zero - length)
            }
        } else {
            let known = self.jobs.compactMap { $0.isRunning ? first.at : $0.endedAt ?? $0.startedAt }.max()
            guard let known else { return nil }
            end = min(known, first.at)
        }
        guard let length = Self.length(from: start, to: end), length > .zero else { return nil }
    }

    /// How much of it the job was there for.
    func gap(of job: Job) -> Duration {
        // How its times lie to those of the outage cannot be told, so it may have been all of it.
        if isClockSet { return end.since(start) }
        let from = min(max(job.startedAt ?? start, start), end)
        let until = min(max(job.endedAt ?? end, from), end)
        return until.since(from)
    }

    /// Nil for times too far apart to be any.
    private static func length(from: Timestamp, to: Timestamp) -> Duration? {
        let (difference, overflow) = to.microseconds.subtractingReportingOverflow(from.microseconds)
        return overflow ? nil : .microseconds(difference)
    }
}
