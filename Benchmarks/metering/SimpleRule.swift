import Metering

/// How other programs share energy out, each reduced to its rule.
enum SimpleRule: CaseIterable {
    /// CodeCarbon's `tracking_mode = "machine"`: each job is told what the whole machine drew while it ran.
    case wholeMachine
    /// Scaphandre: the process's part of the machine's busy CPU time, of all that was drawn.
    case shareOfCPUTime
    /// Green Algorithms, and CodeCarbon where it finds no counter: use of the CPUs times thermal design power.
    case utilisationTimesTDP

    var name: String {
        switch self {
        case .wholeMachine: "whole machine to each job"
        case .shareOfCPUTime: "share of CPU time"
        case .utilisationTimesTDP: "utilisation x TDP"
        }
    }

    /// What one interval looks like to the rules.
    struct Interval {
        var joules: Double
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
        case .utilisationTimesTDP: interval.thermalDesignWatts * cpuSeconds / interval.cpus
        }
    }
}
