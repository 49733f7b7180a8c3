/// Compares an energy counter with the power sensor beside it, over and over, and takes the counter out of use if it does not
/// tell the same: one that stands still while watts flow, or counts in another unit, would make false joules look measured.
struct CounterCheck: Sendable {
    /// What both told over the same intervals, in joules.
    struct Sums: Sendable {
        var counted = 0.0
        var integrated = 0.0
    }

    /// Of the window that runs; of the one that refuted the counter, once one has.
    private(set) var sums = Sums()
    private var seconds = 0.0
    /// Whether the counter told the same as the sensor in the last whole window. Before the first one nobody knows.
    private(set) var isTrusted = false
    /// The first verdict stays: a counter that lied once may again.
    private(set) var isRefuted = false

    /// Long enough for the sensor's own averaging to cancel out, in seconds.
    static let length = 30.0
    /// This far apart, one of the two is wrong; the sensor is the one that both old and new cards have.
    static let tolerance = 1.5
    /// A sensor that tells less, in watts, is nothing to compare with.
    static let leastWatts = 1.0

    /// - Parameters:
    ///   - counter: joules by the counter in an interval; 0 where it stood still.
    ///   - sensor: by the power sensor in the same.
    mutating func note(counter: Double, sensor: Double, seconds: Double) {
        guard !isRefuted, sensor >= Self.leastWatts * seconds else { return }
        sums.counted += counter
        sums.integrated += sensor
        self.seconds += seconds
        guard self.seconds >= Self.length else { return }
        let isWithin =
            sums.counted * Self.tolerance >= sums.integrated && sums.counted <= sums.integrated * Self.tolerance
        // Sensors that look at a card once in a while may miss much of one window. A counter that was right before loses its
        // trust by that, and is out of use if the next window says the same.
        isRefuted = !isWithin && !isTrusted
        isTrusted = isWithin
        if !isRefuted { (sums, self.seconds) = (Sums(), 0) }
    }
}
