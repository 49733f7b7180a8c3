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
        var merged: [MeteredInterval] = []
        var positions: [Key: Int] = [:]
        for interval in intervals {
            let key = Key(
                minute: interval.end.microseconds / 60_000_000, domain: interval.domain, isGap: interval.isGap,
                tier: interval.tier.rawValue)
            if let position = positions[key] {
                merged[position].absorb(interval)
            } else {
                positions[key] = merged.count
                merged.append(interval)
            }
        }
        return merged
    }

    private mutating func absorb(_ other: MeteredInterval) {
        // The length of the whole is the sum of the parts, wherever in the minute they lie.
        let length = end.since(start) + other.end.since(other.start)
        end = max(end, other.end)
        start = end.advanced(by: .zero - length)
        metered += other.metered
        low += other.low
        high += other.high
        for span in other.spans {
            if let position = spans.firstIndex(where: { $0.account == span.account && $0.tier == span.tier }) {
                spans[position].absorb(span)
            } else {
                spans.append(span)
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
        gap += other.gap
    }
}
