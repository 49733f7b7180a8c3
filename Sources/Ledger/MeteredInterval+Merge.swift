import JobAPI
import Units

extension MeteredInterval {
    /// The same energy, carbon and gaps to the microjoule, with the intervals of one minute, domain and tier as one.
    package static func mergedByMinute(_ intervals: [MeteredInterval]) -> [MeteredInterval] {
        struct Key: Hashable {
            var minute: Int64
            var domain: String
            var isGap: Bool
            var tier: String
        }
        var merged: [MergedInterval] = []
        var positions: [Key: Int] = [:]
        for interval in intervals {
            let key = Key(
                minute: interval.end.minute, domain: interval.domain, isGap: interval.isGap,
                tier: interval.tier.rawValue)
            if let position = positions[key] {
                merged[position].absorb(interval)
            } else {
                positions[key] = merged.count
                merged.append(MergedInterval(interval))
            }
        }
        return merged.map(\.whole)
    }
}

private struct MergedInterval {
    private struct Key: Hashable {
        var account: SpanAccount
        var tier: Tier
    }

    private(set) var whole: MeteredInterval
    /// Where each account's span is.
    private var positions: [Key: Int] = [:]

    init(_ first: MeteredInterval) {
        whole = first
        whole.spans = []
        add(first.spans)
    }

    mutating func absorb(_ other: MeteredInterval) {
        // The length of the whole is the sum of the parts, wherever in the minute they lie.
        let length = whole.end.since(whole.start) + other.end.since(other.start)
        whole.end = max(whole.end, other.end)
        whole.start = whole.end.advanced(by: .zero - length)
        whole.metered += other.metered
        whole.low += other.low
        whole.high += other.high
        add(other.spans)
    }

    private mutating func add(_ spans: [SpanDelta]) {
        for span in spans {
            let key = Key(account: span.account, tier: span.tier)
            if let position = positions[key] {
                whole.spans[position].absorb(span)
            } else {
                positions[key] = whole.spans.count
                whole.spans.append(span)
            }
        }
    }
}

extension SpanDelta {
    fileprivate mutating func absorb(_ other: SpanDelta) {
        active += other.active
        reservedIdle += other.reservedIdle
        low += other.low
        high += other.high
        carbon += other.carbon
        carbonLow += other.carbonLow
        carbonHigh += other.carbonHigh
        activeCarbon += other.activeCarbon
        waterMicrolitres += other.waterMicrolitres
        activeWaterMicrolitres += other.activeWaterMicrolitres
        gap += other.gap
        guard let theirs = other.money else { return }
        let ours = money ?? .zero
        money = SpanMoney(
            whole: ours.whole + theirs.whole, active: ours.active + theirs.active, priced: ours.priced + theirs.priced,
            activePriced: ours.activePriced + theirs.activePriced)
    }
}
