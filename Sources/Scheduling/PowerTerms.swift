package import Policy
package import Units

/// What the machine may draw, and what is planned by of what it draws. Figures of what is to come are the most that is to be
/// expected, so that a plan within the cap is one that the machine keeps.
package struct PowerTerms: Hashable, Sendable {
    /// What is known of the machine, in watts.
    package struct Figures: Hashable, Sendable {
        /// With no job on it, as it was observed or as a table has it.
        package var idle: Double
        /// What each CPU and each GPU of a job draws at most beyond that, where nothing is learned of the job's likes.
        package var perCPU: Double
        package var perGPU: Double

        package init(idle: Double, perCPU: Double, perGPU: Double) {
            self.idle = idle
            self.perCPU = perCPU
            self.perGPU = perGPU
        }

        package static let none = Figures(idle: 0, perCPU: 0, perGPU: 0)
    }

    package var cap = Setting<Power?>(nil)
    /// As the policy states it; nil for what was observed.
    private var statedIdle: Double?
    package var figures = Figures.none
    /// What the machine draws beyond what was expected while it is held to its cap, in mW: nobody else can have it.
    var excess = 0

    package init() {}

    mutating func adopt(_ machine: PolicySet.Machine) {
        cap = machine.powerCap
        statedIdle = if case .stated(let power) = machine.idlePower.value { power.watts } else { nil }
    }

    /// In watts.
    package var idle: Double { statedIdle ?? figures.idle }

    /// What jobs may draw together beyond the idle machine, in mW.
    var room: Int {
        guard let cap = cap.value else { return ResourceVector.unlimitedPower }
        // Rounded down: what is planned is rounded up.
        return Int(max(0, (cap.watts - idle) * 1000))
    }

    /// What a request draws at most, in mW, where nothing is learned of its likes.
    func draw(of request: ResourceVector) -> Int {
        Self.milliwatts(Double(request.cpus) * figures.perCPU + Double(request.gpus) * figures.perGPU)
    }

    /// Rounded up, and within what sums of it bear.
    package static func milliwatts(_ watts: Double) -> Int {
        watts.isFinite ? Int(min(max(0, watts), 1e9) * 1000 + 1 - 1e-6) : 1_000_000_000_000
    }

    /// `123.5 W`.
    static func words(_ milliwatts: Int) -> String { "\(Power(watts: Double(milliwatts) / 1000))" }
}
