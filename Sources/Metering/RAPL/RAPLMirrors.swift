/// Finds packages whose counters are one and the same.
///
/// Some multi-die processors (AMD Threadripper and EPYC of the first generation on older kernels) show one counter under
/// several package zones; adding them up doubles the energy. The reads of two zones lie some time apart, on a busy machine
/// many milliseconds. So one counter's two advances may differ in any interval, but their sums never by more than the
/// energy of that time. The sums of two real sockets move apart for good, and their advances are never the same
/// microjoule count several times running.
struct RAPLMirrors: Sendable {
    /// What a zone is to those before it, by index.
    enum Verdict: Equatable {
        case own
        case mirrors(Int)
        /// It may be the same counter: not to be added in this interval.
        case undecided(Int)
    }

    private enum Relation: Sendable { case undecided, mirrored, distinct }

    /// Two zones, since their advances were last equal.
    private struct Pair: Sendable {
        var relation = Relation.undecided
        /// The sum of the one's advances less the other's, in µJ.
        var offset = 0.0
        /// How far apart two late reads of one counter may have put them, in µJ.
        var slack = 0.0
        /// For how many intervals running they have been further apart, and for how many equal.
        var apart = 0
        var equal = 0
    }

    /// Each zone with each zone before it, by index.
    private var pairs: [[Pair]]
    /// How far apart in time the reads of two zones may lie, in seconds.
    private var lateness = 0.05
    /// A longer pause must not keep sockets from being told apart.
    private static let longestLateness = 1.0
    /// So many intervals running turn a verdict.
    private static let certainty = 3

    init(count: Int) {
        pairs = (0..<count).map { Array(repeating: Pair(), count: $0) }
    }

    /// Heeds that it took so long to read all zones: both ends of an interval may be that late.
    mutating func noteReading(seconds: Double) {
        lateness = max(lateness, min(2 * seconds, Self.longestLateness))
    }

    /// What each zone is.
    /// - Parameter deltas: each zone's advance in µJ over the same `seconds`, nil for a gap.
    mutating func update(deltas: [UInt64?], seconds: Double) -> [Verdict] {
        pairs.indices.map { index in
            for other in pairs[index].indices {
                guard let a = deltas[index], let b = deltas[other] else { continue }
                judge(&pairs[index][other], Double(a), Double(b), seconds: seconds)
            }
            if let original = pairs[index].firstIndex(where: { $0.relation == .mirrored }) { return .mirrors(original) }
            let open = pairs[index].indices.first {
                pairs[index][$0].relation == .undecided && deltas[index] != nil && deltas[$0] != nil
            }
            return open.map { .undecided($0) } ?? .own
        }
    }

    private func judge(_ pair: inout Pair, _ a: Double, _ b: Double, seconds: Double) {
        // Perf's counts are rounded down to whole microjoules.
        if abs(a - b) <= 1 {
            guard min(a, b) > 1 else { return }
            let equal = pair.equal + 1
            // One reading may turn nothing: two sockets are equal by chance once in a while.
            let isMirrored = pair.relation != .distinct || equal >= Self.certainty
            pair = Pair(relation: isMirrored ? .mirrored : .distinct, equal: equal)
            return
        }
        pair.equal = 0
        pair.offset += a - b
        pair.slack = max(pair.slack, max(a, b) / max(seconds, 0.001) * lateness)
        pair.apart = abs(pair.offset) > pair.slack ? pair.apart + 1 : 0
        if pair.apart >= (pair.relation == .mirrored ? Self.certainty : 1) { pair.relation = .distinct }
    }
}
