/// Compares an energy counter with the power sensor beside it, and takes the counter out of use if it does not tell the
/// same: one that stands still while watts flow, or counts in another unit, would make false joules look measured.
struct CounterCheck: Sendable {
    /// Sums in joules over the same intervals, so far.
    private(set) var counted = 0.0
    private(set) var integrated = 0.0
    private var seconds = 0.0
    /// The first verdict stays: a counter that lied once may again.
    private(set) var isRefuted = false

    /// Long enough for the sensor's own averaging to cancel out, in seconds.
    static let length = 30.0
    /// This far apart, one of the two is wrong; the sensor is the one that both old and new cards have.
    static let tolerance = 1.5

    /// - Parameters:
    ///   - counter: joules by the counter in an interval; 0 where it stood still.
    ///   - sensor: by the power sensor in the same.
    mutating func note(counter: Double, sensor: Double, seconds: Double) {
        guard self.seconds < Self.length else { return }
        counted += counter
        integrated += sensor
        self.seconds += seconds
        // Less than a watt is nothing to compare.
        guard self.seconds >= Self.length, integrated >= self.seconds else { return }
        isRefuted = counted * Self.tolerance < integrated || counted > integrated * Self.tolerance
    }
}
