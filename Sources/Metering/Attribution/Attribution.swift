package import Units

/// Splits one sample over the accounts, so that the parts sum to it exactly.
///
/// - The idle part, `idlePower` over the interval but never more than was metered, goes to jobs by their share of the
///   machine's CPUs (memory: bytes) they reserved; what nobody reserved goes to `idle`.
/// - The active rest goes by CPU time (memory: by memory held) to jobs, system and daemon. With no such use at all there is
///   nobody to give it to: it goes to `gap`.
/// - The energy of a card goes by who was on it: ``GPUUse``.
/// - `weights` say how much a CPU second of an account draws relative to 1, where that was learned (`PowerWeights`). They
///   steer who gets what of the active part and are cut to a ratio of `weightRatio`, so that no account is talked down
///   without bound. They leave memory and cards alone, as they do the range.
/// - While `idlePower` is unknown the whole is booked as active, so that no job's use is hidden in `idle`; the range of each
///   share then reaches to what the account would get if the whole were idle power.
/// - The range of an active share allows a CPU second of the account to draw `weightRatio` times more or less than one of
///   the others: `[c / (c + k o), k c / (k c + o)]` for c seconds of its own and o of the others. An account that ran alone
///   gets a point. The sample's own range widens all of it in proportion, and so does `idleDoubt`: by how much the idle power
///   may be wrong, relative to it (`MeterSet.idleDoubt`).
/// - A gap gives no energy to anyone; each account is told the seconds it has no figure for.
///
/// Hostile usages (negative, NaN, beyond the machine's capacity) are clamped, accounts named twice are joined, and whoever
/// names `idle` or `gap` is not listened to: those two are results.
/// - Returns: one share per account in the order of `usages`, then `idle`, then `gap` if it holds anything.
package func attribute(
    _ sample: DomainSample, idlePower: Power?, usages: [Usage], machine: MachineSize,
    idleDoubt: Double = 0, weights: [Account: Double] = [:], weightRatio k: Double = 3
) -> [Share] {
    var claims = Claims(usages, of: sample, machine: machine)
    claims.weigh(weights, kind: sample.kind, ratio: k)
    guard let metered = sample.energy, (0...largestReading).contains(metered.energy.microjoules) else {
        let seconds = sample.seconds.isFinite ? max(0, sample.seconds) : 0
        let shares = claims.accounts.map { Share(account: $0, gapSeconds: seconds) }
        let stray = sample.energy?.energy ?? .zero
        return shares + [Share(account: .gap, active: stray, low: stray, high: stray, gapSeconds: seconds)]
    }
    let total = metered.energy.microjoules
    let idle = idlePower.flatMap { idleMicrojoules($0, seconds: sample.seconds, total: total) }
    let active = total - (idle ?? 0)

    let activeParts = apportion(active, weights: claims.weightedUse)
    let stray = active - activeParts.reduce(0, +)
    let idleParts = apportion(idle ?? 0, weights: claims.reserved + [claims.unreserved])
    // Without any capacity to share, idle power is nobody's.
    let unclaimed = (idle ?? 0) - idleParts.reduce(0, +)

    let spread = Spread(total: total, idle: idle, doubt: idleDoubt, range: metered)
    var shares: [Share] = []
    for (index, account) in claims.accounts.enumerated() {
        let share = Share(
            account: account, active: Energy(microjoules: activeParts[index]),
            reservedIdle: Energy(microjoules: idleParts[index]))
        let fractions = claims.useBounds(of: index, ratio: k)
        shares.append(spread.bounded(share, use: fractions, held: claims.heldFraction(index)))
    }
    let rest = Share(account: .idle, reservedIdle: Energy(microjoules: (idleParts.last ?? 0) + unclaimed))
    shares.append(spread.bounded(rest, use: (0, 0), held: claims.unreservedFraction))
    if stray != 0 {
        let share = Share(account: .gap, active: Energy(microjoules: stray))
        shares.append(spread.bounded(share, use: (1, 1), held: 0))
    }
    return shares
}

/// 1.15e12 J. What is negative or above is no reading, whoever made it.
let largestReading: Int64 = 1 << 60

/// The idle part of `total` in µJ; nil for a power or a length that makes no sense.
private func idleMicrojoules(_ power: Power, seconds: Double, total: Int64) -> Int64? {
    guard power.watts.isFinite, power.watts >= 0, seconds.isFinite, seconds >= 0 else { return nil }
    return min(total, power.over(seconds: seconds).microjoules)
}
