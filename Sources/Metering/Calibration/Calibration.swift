package import LinuxSystem
package import Units

/// What `mld calibrate` measured of a machine: the model's own points for it, and how far they can be trusted.
package struct Calibration: Sendable, Hashable {
    /// What the watts held.
    package enum Coverage: String, Sendable, Hashable, CaseIterable {
        case cpu
        case cpuAndMemory = "cpu-and-memory"
        /// All that hangs on the power supply, but for cards with meters of their own.
        case board

        /// What must not be metered or modelled beside it.
        var kinds: Set<DomainKind> {
            switch self {
            case .cpu: [.cpu]
            case .cpuAndMemory: [.cpu, .memory]
            case .board: [.platform, .cpu, .memory]
            }
        }
    }

    package var date: Timestamp
    package var cpu: CPUIdentity
    /// The online CPUs.
    package var cpus: Int
    package var memoryBytes: Int64
    /// Where the watts came from, for people.
    package var source: String
    package var coverage: Coverage
    /// The cards that were taken off a board's watts, by their domains: they had meters of their own.
    package var without: Set<String>
    package var points: [CalibrationPoint]
    package var error: RelativeErrors
    package let curve: CalibratedCurve

    /// - Returns: nil if the points give no curve.
    package init?(
        date: Timestamp, cpu: CPUIdentity, cpus: Int, memoryBytes: Int64, source: String, coverage: Coverage,
        without: Set<String> = [], points: [CalibrationPoint], error: RelativeErrors
    ) {
        guard let curve = CalibratedCurve(fitting: points) else { return nil }
        self.date = date
        self.cpu = cpu
        self.cpus = cpus
        self.memoryBytes = memoryBytes
        self.source = source
        self.coverage = coverage
        self.without = without
        self.points = points
        self.error = error
        self.curve = curve
    }

    /// How far another kind of work at the same utilisation may lie from the calibrated one, as a share of the figure.
    ///
    /// Of three processors calibrated over all cores, nine tenths of the points loaded over some cores lay within this
    /// (`Benchmarks/fallback-model`), while the levels held out of the calibration itself erred by 5 to 10 %.
    package static let smallestRange = 0.3

    /// Half the range of every figure, as a share of it, at most all of it.
    package var relativeRange: Double { min(1, max(Self.smallestRange, error.p90)) }

    /// Watts of the machine with nothing running.
    package var idleWatts: Double { curve.watts(at: 0) }

    /// Why the calibration does not hold for a machine; nil if it does.
    package func mismatch(with other: CPUIdentity, cpus otherCPUs: Int) -> String? {
        guard cpu != other || cpus != otherCPUs else { return nil }
        return "calibrated on \(Self.name(cpu, cpus)), this is \(Self.name(other, otherCPUs)): run mld calibrate again"
    }

    /// Why the calibration does not hold beside the cards that are counted; nil if it does. A card that is counted now and was
    /// not then is in the board's watts too; the joules of one that was taken off and is not counted any more would be lost.
    package func mismatch(with cards: Set<String>) -> String? {
        guard coverage == .board, cards != without else { return nil }
        func list(_ cards: Set<String>) -> String { cards.isEmpty ? "no card" : cards.sorted().joined(separator: ", ") }
        return "calibrated without \(list(without)), while \(list(cards)) is counted now: run mld calibrate again"
    }

    private static func name(_ cpu: CPUIdentity, _ cpus: Int) -> String {
        let numbers = [cpu.family, cpu.model, cpu.stepping, cpu.armImplementer, cpu.armPart].map { $0.map(String.init) }
        let identity =
            numbers.contains { $0 != nil } ? " (" + numbers.map { $0 ?? "-" }.joined(separator: "/") + ")" : ""
        return "\(cpus) CPUs of \(cpu.modelName.isEmpty ? "an unnamed processor" : "\"\(cpu.modelName)\"")\(identity)"
    }
}
