import Metering

/// How other programs share energy out, each reduced to its rule.
enum SimpleRule: CaseIterable {
    /// CodeCarbon's `tracking_mode = "machine"`: each job is told what the whole machine drew while it ran.
    case wholeMachine
    /// Scaphandre up to 0.5.0: the process's part of the machine's busy CPU time, of all that was drawn.
    case shareOfCPUTime
    /// Scaphandre 1.0.0: the process's part of what all CPUs could have done, of all that was drawn. The parts sum to the
    /// utilisation, not to 1.
    case shareOfCapacity
    /// Green Algorithms; CodeCarbon since 3.0.4 for one process where it finds no counter: use of the CPUs times thermal
    /// design power.
    case utilisationTimesTDP

    var name: String {
        switch self {
        case .wholeMachine: "whole machine to each job"
        case .shareOfCPUTime: "share of CPU time"
        case .shareOfCapacity: "share of capacity"
        case .utilisationTimesTDP: "utilisation x TDP"
        }
    }

    /// What one interval looks like to the rules.
    struct Interval {
        var joules: Double
        var seconds: Double
        var machineCPUSeconds: Double
        var cpus: Double
        var thermalDesignWatts: Double
    }

    /// Joules of an account with `cpuSeconds` in the interval.
    /// - Parameter isJob: the first rule knows nobody else.
    func joules(cpuSeconds: Double, isJob: Bool, in interval: Interval) -> Double {
        switch self {
        case .wholeMachine: isJob ? interval.joules : 0
        case .shareOfCPUTime:
            interval.machineCPUSeconds > 0 ? interval.joules * cpuSeconds / interval.machineCPUSeconds : 0
        case .shareOfCapacity:
            interval.seconds > 0 ? interval.joules * cpuSeconds / (interval.cpus * interval.seconds) : 0
        case .utilisationTimesTDP: interval.thermalDesignWatts * cpuSeconds / interval.cpus
        }
    }
}
