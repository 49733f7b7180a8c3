package import LinuxSystem

/// A part of the machine whose power the hardware itself can hold down: a processor's package through RAPL, a card through NVML.
package struct PowerLimiter: Sendable {
    package enum Kind: String, Sendable, Hashable { case cpu, gpu }

    /// Its power domain, as its meter calls it.
    package var domain: String
    package var kind: Kind
    /// The same part after a restart.
    package var key: String
    /// What the hardware takes, in watts; nil where it does not say.
    package var range: ClosedRange<Double>?
    /// In watts.
    private let read: @Sendable () throws(PowerLimitError) -> Double
    private let write: @Sendable (Double) throws(PowerLimitError) -> Void

    init(
        domain: String, kind: Kind, key: String, range: ClosedRange<Double>?,
        read: @escaping @Sendable () throws(PowerLimitError) -> Double,
        write: @escaping @Sendable (Double) throws(PowerLimitError) -> Void
    ) {
        self.domain = domain
        self.kind = kind
        self.key = key
        self.range = range
        self.read = read
        self.write = write
    }

    /// The limit in force, in watts.
    package func limit() throws(PowerLimitError) -> Double { try read() }

    /// Puts a limit in force, within what the hardware takes.
    /// - Returns: what is in force then: hardware rounds, and may take less than was asked for.
    @discardableResult
    package func set(_ watts: Double) throws(PowerLimitError) -> Double {
        guard watts.isFinite, watts > 0 else {
            throw PowerLimitError(domain: domain, message: "\(watts) W is no limit")
        }
        try write(range.map { min(max(watts, $0.lowerBound), $0.upperBound) } ?? watts)
        return try read()
    }

    /// All that can be limited here, and why others cannot.
    package static func all(roots: SystemRoots) -> (limiters: [PowerLimiter], problems: [PowerLimitError]) {
        let (packages, packageProblems) = rapl(roots)
        let (cards, cardProblems) = nvml(roots)
        return (packages + cards, packageProblems + cardProblems)
    }
}

/// Why a power limit cannot be read or set.
package struct PowerLimitError: Error, Hashable, Sendable, CustomStringConvertible {
    package var domain: String
    package var message: String

    package init(domain: String, message: String) {
        self.domain = domain
        self.message = message
    }

    package var description: String { "\(domain): \(message)" }
}
