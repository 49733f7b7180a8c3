import Glibc
import TestSupport

/// How much kinds of work differ in watts per busy core: standard deviations of the logarithm.
struct SyntheticSpread: Sendable {
    /// Between jobs.
    var jobs = 0.25
    /// Between the kinds of work of one job.
    var phases = 0.1
    /// The most that any two kinds of work differ by, as a factor. 3 is what mld's ranges allow for, so that only a larger
    /// one can put the truth outside of them.
    var limit = 3.0
}

/// What a synthetic machine is made of. `Benchmarks/README.md` states the model.
struct SyntheticHardware {
    let cpus: Int
    let idleWatts: Double
    /// Of a busy core while few are busy: the mean over jobs.
    let wattsPerCore: Double
    /// The part of a core's power that is lost when all are busy, and how the loss grows with the number of busy cores.
    let concavity: Double
    let concavityExponent: Double
    /// What a data sheet might say.
    let thermalDesignWatts: Double
    private let limit: Double

    init(limit: Double, using random: inout Seeded) {
        self.limit = limit
        cpus = [8, 16, 24, 32, 48, 64].randomElement(using: &random) ?? 8
        idleWatts = random.uniform(20...80)
        wattsPerCore = random.uniform(cpus <= 16 ? 4...9 : 2...5)
        concavity = random.uniform(0.05...0.25)
        concavityExponent = random.uniform(0.7...1.3)
        let full = idleWatts + Double(cpus) * wattsPerCore * (1 - concavity)
        thermalDesignWatts = full * random.uniform(0.8...1.2)
    }

    /// Watts per core within a factor of the limit's square root of the mean, so that no two differ by more than the limit.
    func limited(_ watts: Double) -> Double {
        min(wattsPerCore * limit.squareRoot(), max(wattsPerCore / limit.squareRoot(), watts))
    }

    /// By how much each core's power falls when so many are busy: clocks and voltages go down together.
    func factor(busyCores: Double) -> Double {
        1 - concavity * pow(min(1, busyCores / Double(cpus)), concavityExponent)
    }
}
