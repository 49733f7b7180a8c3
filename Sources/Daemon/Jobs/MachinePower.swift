import JobAPI
import LinuxSystem
import Metering
import Scheduling

/// What a job may draw of which nothing is known: what any job drew here, else what a table says of the processor.
struct MachinePower: Sendable {
    var watts: RunSample.Watts
    /// Whether the mean says anything.
    var isSeen: Bool
    /// How it is known, for people.
    var basis: String

    /// - Parameter seen: what jobs of any kind drew here for as many CPUs.
    init(seen: RunSample.Watts?, cpus: Int, identity: CPUIdentity) {
        if let seen {
            watts = seen
            isSeen = true
            basis = "what jobs of any kind drew here, by their CPUs"
            return
        }
        isSeen = false
        let table = CPUCoefficients(for: identity)
        // Idle as the least, and busy throughout as the most.
        watts = RunSample.Watts(
            low: table.low.idleWatts * Double(cpus), mean: table.point.watts(at: 1) * Double(cpus),
            high: table.high.fullWatts * Double(cpus), tier: .table)
        basis =
            "from idle to busy by the watts-per-thread table of Cloud Carbon Footprint (\(CPUPowerTable.year)): \(table.basis)"
    }
}
