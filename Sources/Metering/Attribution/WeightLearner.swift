import Glibc

/// Learns how much a CPU second of each account draws in one domain, relative to the others', from how the domain's power
/// follows their CPU time.
///
/// In an interval with c_i CPU seconds of account i, the active energy is held to be
///
///     y = m f(u) sum_i(w_i c_i) + d idle + noise        ln f(u) = -a u - b u (1 - u)
///
/// with m the machine's joules per CPU second, w_i the account's weight, f the fall of a core's power as more of the
/// machine is busy (u from 0 to 1), and d the error of the known idle power. An extended Kalman filter (Kalman 1960) over
/// ln m, a, b, d and every ln w_i follows them: a start, an end or a change of CPU use moves y by the weight of its cause.
/// Logarithms keep weights positive. What cannot be told apart, such as two accounts of steady use, stays near the prior,
/// where all weights are 1 and shares are those of plain CPU time.
///
/// A pure value, bounded by `mostAccounts`; a step costs O(n^2).
struct WeightLearner: Sendable {
    /// Accounts beyond keep the weight 1.
    static let mostAccounts = 64

    private(set) var accounts: [Account] = []
    /// CPU use of each account in the interval before, in cores.
    private var cores: [Double] = []
    /// ln m, a, b, d, then ln w of each account.
    private var state = [0.0, Prior.fall, 0, 0]
    private var covariance = SymmetricMatrix(diagonal: [
        Prior.mean * Prior.mean, Prior.fallDeviation * Prior.fallDeviation, Prior.bend * Prior.bend,
        Prior.idle * Prior.idle,
    ])
    /// Until the first interval with enough use, m is unknown.
    private var hasMean = false
    /// Intervals in a row in which the residual was beyond the gate.
    private var misses = 0
    /// The gradient of the predicted energy, relative to it; kept to spare an allocation a step.
    private var gradient: [Double] = []

    private static let machineStates = 4

    /// Standard deviations before anything is known, relative (a difference of logarithms) unless said.
    private enum Prior {
        static let mean = 0.3
        static let fall = 0.15
        static let fallDeviation = 0.1
        static let bend = 0.1
        /// Of the idle power.
        static let idle = 0.01
        static let weight = 0.25
        /// No two kinds of work differ by more. A weight beyond could not come back in reasonable time.
        static let mostRatio = 3.0
    }

    /// How fast what was learned grows old.
    private enum Drift {
        /// Rooms and processors warm up: the mean by 1 % in a minute.
        static let mean = 2 * 0.01 * 0.01 / 60
        /// Settings of clocks change: the two numbers of the fall by 0.05 in a day.
        static let fall = 0.05 * 0.05 / 86400
        /// Seconds in which the error of the idle power forgets itself.
        static let idleSeconds = 600.0
        /// Seconds in which a weight without new evidence goes back to the prior.
        static let weightSeconds = 1800.0
        /// Who changes its CPU use from nothing to all, or back, runs other code: its weight may differ by so much.
        static let change = 0.12
    }

    /// What of a reading the model leaves unexplained, relative to the active energy.
    private static let unexplained = 0.01
    /// A counter's last renewal may be so many seconds old.
    private static let renewalSeconds = 0.001
    /// Shorter intervals hold too few renewals.
    private static let shortestInterval = 0.2
    /// Residuals are cut to so many standard deviations, so that no single reading turns the weights.
    private static let gate = 3.0
    /// After so many misses in a row what was learned is of no use: clocks were set anew, or readings were false.
    private static let mostMisses = 5
    /// A miss of less active power, relative to the idle power, may be an error of the idle power.
    private static let leastMissed = 0.1
    /// With less active power, relative to the idle power, its error hides all else.
    private static let leastActive = 0.02

    /// The weight of a tracked account; 1 for others.
    func weight(of account: Account) -> Double {
        accounts.firstIndex(of: account).map { exp(state[Self.machineStates + $0]) } ?? 1
    }

    /// Takes in one interval.
    /// - Parameters:
    ///   - active: the energy above idle in joules; may be below zero by noise.
    ///   - idle: the idle energy in joules.
    ///   - seconds: the length of the interval.
    ///   - use: CPU seconds per account, finite and not negative, each account once.
    mutating func learn(
        active: Double, idle: Double, seconds: Double, cpus: Double, use: [(account: Account, cpuSeconds: Double)]
    ) {
        keep(use.map(\.account))
        guard seconds >= Self.shortestInterval, cpus > 0 else { return }
        grow(seconds: seconds, use)
        let total = use.reduce(0) { $0 + $1.cpuSeconds }
        guard total > 0 else { return }
        if !hasMean {
            let mean = log(active / total)
            guard total >= 0.5 * seconds, active > Self.leastActive * idle, mean.isFinite else { return }
            state[0] = mean
            hasMean = true
        }
        correct(active: active, idle: idle, seconds: seconds, utilisation: min(1, total / seconds / cpus), use)
    }

    /// Drops the accounts that are gone and starts the new ones at the prior.
    private mutating func keep(_ present: [Account]) {
        if accounts.count == present.count, zip(accounts, present).allSatisfy({ $0 == $1 }) { return }
        let here = Set(present)
        for index in accounts.indices.reversed() where !here.contains(accounts[index]) {
            accounts.remove(at: index)
            cores.remove(at: index)
            state.remove(at: Self.machineStates + index)
            covariance.remove(Self.machineStates + index)
        }
        var known = Set(accounts)
        for account in present where accounts.count < Self.mostAccounts && known.insert(account).inserted {
            accounts.append(account)
            cores.append(0)
            state.append(0)
            covariance.append(Prior.weight * Prior.weight)
        }
    }

    /// Adds the doubt that an interval brings.
    private mutating func grow(seconds: Double, _ use: [(account: Account, cpuSeconds: Double)]) {
        covariance[0, 0] += Drift.mean * seconds
        covariance[1, 1] += Drift.fall * seconds
        covariance[2, 2] += Drift.fall * seconds
        decay(3, deviation: Prior.idle, by: exp(-seconds / Drift.idleSeconds))
        let kept = exp(-seconds / Drift.weightSeconds)
        for (account, cpuSeconds) in use {
            guard let index = accounts.firstIndex(of: account) else { continue }
            let now = cpuSeconds / seconds
            let most = max(now, cores[index])
            let change = most > 0.05 ? abs(now - cores[index]) / most : 0
            cores[index] = now
            let position = Self.machineStates + index
            decay(position, deviation: Prior.weight, by: kept)
            covariance[position, position] += Drift.change * Drift.change * change * change
        }
    }

    /// Draws one state back to zero, and its variance to that of the prior.
    private mutating func decay(_ index: Int, deviation: Double, by kept: Double) {
        state[index] *= kept
        covariance.scale(index, by: kept)
        covariance[index, index] += (1 - kept * kept) * deviation * deviation
    }

    private mutating func correct(
        active: Double, idle: Double, seconds: Double, utilisation u: Double,
        _ use: [(account: Account, cpuSeconds: Double)]
    ) {
        let count = state.count
        gradient.removeAll(keepingCapacity: true)
        gradient.append(contentsOf: repeatElement(0, count: count))
        var weighted = 0.0
        for (account, cpuSeconds) in use {
            let index = accounts.firstIndex(of: account).map { Self.machineStates + $0 }
            let part = cpuSeconds * (index.map { exp(state[$0]) } ?? 1)
            weighted += part
            if let index { gradient[index] = part }
        }
        guard weighted > 0 else { return }
        let expected = exp(state[0] - state[1] * u - state[2] * u * (1 - u)) * weighted
        guard expected.isFinite, expected > Self.leastActive * idle else {
            judge(isMiss: !expected.isFinite || active > Self.leastMissed * idle)
            return
        }
        for index in Self.machineStates..<count { gradient[index] /= weighted }
        gradient[0] = 1
        gradient[1] = -u
        gradient[2] = -u * (1 - u)
        gradient[3] = idle / expected

        let counter = (active + idle) / seconds * Self.renewalSeconds / expected
        let noise = Self.unexplained * Self.unexplained + counter * counter
        let residual = active / expected - 1 - state[3] * idle / expected
        let isWithin = covariance.correct(
            &state, gradient: gradient, residual: residual, noise: noise, gate: Self.gate)
        let most = log(Prior.mostRatio)
        for index in Self.machineStates..<count { cut(index, to: -most...most) }
        cut(1, to: 0...1)
        cut(2, to: -0.5...0.5)
        cut(3, to: -0.1...0.1)
        judge(isMiss: !isWithin && max(active, expected) > Self.leastMissed * idle)
    }

    /// Forgets everything after a row of readings that the model cannot have meant; a single one may be a fault.
    private mutating func judge(isMiss: Bool) {
        misses = isMiss ? misses + 1 : 0
        if misses >= Self.mostMisses { self = WeightLearner() }
    }

    /// Keeps a state where it makes sense, whatever it was fed.
    private mutating func cut(_ index: Int, to range: ClosedRange<Double>) {
        state[index] = min(range.upperBound, max(range.lowerBound, state[index]))
    }
}
