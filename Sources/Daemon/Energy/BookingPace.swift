import Units

/// What is due, by how long ago it was done last.
enum BookingPace {
    /// How many rows a second are worth writing: with many jobs each flush waits until it is worth its while, since the
    /// minutes' rows are added to and a later flush costs no more than an earlier one.
    private static let rowsPerSecond = 200.0

    static func isFlushDue(after waited: Duration, jobs: Int, domains: Int) -> Bool {
        jobs == 0 ? waited >= .seconds(60) : waited.seconds >= Double(jobs * max(1, domains)) / rowsPerSecond
    }

    /// Once a minute while jobs run, so that what they used is soon sealed; else now and then.
    static func isCloseDue(after waited: Duration, isBusy: Bool) -> Bool {
        waited >= (isBusy ? .seconds(60) : .seconds(600))
    }

    /// What was learned is kept as it comes, and not only at the end: a daemon may be killed.
    static func isKeepingDue(after waited: Duration) -> Bool { waited >= .seconds(60) }
}
