/// Splits `total` in proportion to `weights` so that the parts sum to `total` exactly (largest remainder method).
///
/// Ties go to the lower index, so the same input always gives the same parts. Negative, NaN and infinite weights count
/// as zero; when no weight is positive every part is zero and the caller must book `total` elsewhere.
/// - Parameter total: at most 2^61 either way (2.3e12 J in µJ, far above any machine's).
/// - Returns: one part per weight; they sum to `total`, or are all zero when no weight is positive.
package func apportion(_ total: Int64, weights: [Double]) -> [Int64] {
    let clean = weights.map { $0.isFinite && $0 > 0 ? $0 : 0 }
    let sum = clean.reduce(0, +)
    guard sum > 0, sum.isFinite else { return Array(repeating: 0, count: weights.count) }
    let sign: Int64 = total < 0 ? -1 : 1
    precondition(total.magnitude <= 1 << 61, "a total this large would overflow while its parts are summed")
    let magnitude = Double(total.magnitude)
    var parts: [Int64] = []
    var remainders: [(index: Int, value: Double)] = []
    parts.reserveCapacity(clean.count)
    remainders.reserveCapacity(clean.count)
    for (index, weight) in clean.enumerated() {
        let exact = magnitude * (weight / sum)
        let whole = exact.rounded(.down)
        parts.append(Int64(saturating: whole))
        remainders.append((index, weight > 0 ? exact - whole : -1))
    }
    var left = Int64(clamping: total.magnitude) - parts.reduce(0, +)
    remainders.sort { $0.value == $1.value ? $0.index < $1.index : $0.value > $1.value }
    let eligible = remainders.filter { $0.value >= 0 }
    var position = 0
    // Rounding can leave a few units too many or too few; hand them out one at a time.
    while left != 0, !eligible.isEmpty {
        let index = eligible[position % eligible.count].index
        if left > 0 {
            parts[index] += 1
            left -= 1
        } else if parts[index] > 0 {
            parts[index] -= 1
            left += 1
        }
        position += 1
    }
    return parts.map { $0 * sign }
}
