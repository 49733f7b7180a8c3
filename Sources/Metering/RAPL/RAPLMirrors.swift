/// Finds packages whose counters are one and the same.
///
/// Some multi-die processors (AMD Threadripper and EPYC of the first generation on older kernels) show one counter under
/// several package zones; adding them up doubles the energy. Two real sockets never advance by the same microjoule count;
/// a mirrored pair always does, up to one renewal of the counter between the two reads.
struct RAPLMirrors: Sendable {
    private enum Relation: Sendable { case unknown, mirrored, distinct }

    /// The relation of each zone to each zone before it, by index.
    private var relations: [[Relation]]

    init(count: Int) {
        relations = (0..<count).map { Array(repeating: .unknown, count: $0) }
    }

    /// For each zone, the index of the zone it mirrors, if any.
    /// - Parameter deltas: each zone's advance in µJ over the same `seconds`, nil for a gap.
    mutating func update(deltas: [UInt64?], seconds: Double) -> [Int?] {
        relations.indices.map { index in
            for other in relations[index].indices {
                judge(index, other, deltas: deltas, seconds: seconds)
            }
            return relations[index].firstIndex(of: .mirrored)
        }
    }

    private mutating func judge(_ index: Int, _ other: Int, deltas: [UInt64?], seconds: Double) {
        guard relations[index][other] != .distinct, let a = deltas[index], let b = deltas[other] else { return }
        let difference = a > b ? a - b : b - a
        let meanMicrowatts = Double(max(a, b)) / max(seconds, 0.001)
        if Double(difference) > meanMicrowatts * RAPLTiming.renewalSeconds {
            relations[index][other] = .distinct
        } else if a == b, a > 0 {
            relations[index][other] = .mirrored
        }
    }
}
