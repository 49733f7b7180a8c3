/// What one process used and held of a card in one interval.
package struct ProcessUse: Sendable, Hashable {
    package var pid: Int32
    /// Mean utilisation of the card's compute units by the process (0 to 1) times the interval's length: GPU seconds. Nil
    /// where the driver cannot tell.
    package var seconds: Double?
    /// What it held of the card's memory; nil when unknown.
    package var memoryBytes: Int64?

    package init(pid: Int32, seconds: Double? = nil, memoryBytes: Int64? = nil) {
        self.pid = pid
        self.seconds = seconds
        self.memoryBytes = memoryBytes
    }
}
