/// A counter of one RAPL domain, however it is read.
protocol RAPLCounter: Sendable {
    /// Takes the value from which the next change counts.
    mutating func begin()

    /// The change since the value before, over `seconds`. A `doubt` about the interval makes it a gap.
    mutating func change(over seconds: Double, doubt: String?) -> EnergyCounter.Change

    /// Whether it has stood still for so long that it is not to be believed any more.
    var isStuck: Bool { get }
}

/// How the hardware's counter behaves, whoever reads it.
enum RAPLTiming {
    /// The counter renews about so often a second.
    static let updatesPerSecond = 1000.0
    /// One late renewal may bring this much time's energy on top.
    static let renewalSeconds = 0.005
    /// Over so long a powered domain has drawn something.
    static let standstillSeconds = 0.1
    /// Renewed so often, it has no slow renewals: what it tells after a standstill is of a time that nobody knows.
    static let slowestRenewal = 0.0
}
