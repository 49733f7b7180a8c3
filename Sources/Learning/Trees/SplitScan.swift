import Glibc

/// Looks for the best place to part a node's samples in the order of a feature.
protocol SplitScan: Sendable {
    /// Takes a node's targets in.
    ///
    /// - Returns: their impurity and what the node predicts.
    mutating func begin(_ targets: [Float]) -> (impurity: Double, value: [Double])

    /// - Returns: the last sample, by rank, of the left part of the best split between different values, both parts with at
    ///   least `leastSamples`; nil if there is none. The higher the score the lower the impurity of the parts, each
    ///   weighted by its samples.
    mutating func run(_ targets: [Float], _ order: SortedFeature, leastSamples: Int) -> (rank: Int, score: Double)?
}

/// Walks over the ranks; inlined into each scan, so that no call is made for a sample.
@inline(__always)
private func walk(
    _ count: Int, _ order: SortedFeature, _ least: Int, move: (Int) -> Void, score: (Int) -> Double
) -> (rank: Int, score: Double)? {
    var best: (rank: Int, score: Double)?
    var value = order.value(0)
    for rank in 0..<(count - least) {
        move(order.place(rank))
        let next = order.value(rank + 1)
        defer { value = next }
        if value == next || rank + 1 < least { continue }
        let score = score(rank + 1)
        if score > best?.score ?? -.infinity { best = (rank, score) }
    }
    return best
}

/// `1 - sum p²`. The least weighted sum of it over both parts is where `sum c² / n` summed over them is largest; the
/// squares are whole numbers, kept up from sample to sample.
struct GiniScan: SplitScan {
    private var total: [Int]
    private var left: [Int]
    private var right: [Int]

    init(classes: Int) {
        total = [Int](repeating: 0, count: classes)
        left = total
        right = total
    }

    mutating func begin(_ targets: [Float]) -> (impurity: Double, value: [Double]) {
        for i in total.indices { total[i] = 0 }
        for target in targets { total[Int(target)] += 1 }
        let n = Double(targets.count)
        return (1 - total.reduce(0) { $0 + Double($1) / n * (Double($1) / n) }, total.map { Double($0) })
    }

    mutating func run(_ targets: [Float], _ order: SortedFeature, leastSamples: Int) -> (rank: Int, score: Double)? {
        for i in total.indices { (left[i], right[i]) = (0, total[i]) }
        var (leftSquares, rightSquares) = (0, total.reduce(0) { $0 + $1 * $1 })
        return walk(targets.count, order, leastSamples) { place in
            let label = Int(targets[place])
            leftSquares += 2 * left[label] + 1
            left[label] += 1
            rightSquares -= 2 * right[label] - 1
            right[label] -= 1
        } score: { count in
            Double(leftSquares) / Double(count) + Double(rightSquares) / Double(targets.count - count)
        }
    }
}

/// `-sum p log2 p`. Over a part, `n` times it is `n log n - sum c log c`, kept up from sample to sample by a table of
/// `c log c`.
struct EntropyScan: SplitScan {
    private var total: [Int]
    private var left: [Int]
    private var right: [Int]
    private let table: [Double]

    init(classes: Int, samples: Int) {
        total = [Int](repeating: 0, count: classes)
        left = total
        right = total
        table = (0...samples).map { $0 == 0 ? 0 : Double($0) * log2(Double($0)) }
    }

    mutating func begin(_ targets: [Float]) -> (impurity: Double, value: [Double]) {
        for i in total.indices { total[i] = 0 }
        for target in targets { total[Int(target)] += 1 }
        let n = Double(targets.count)
        let impurity = total.reduce(0.0) { sum, count in
            count == 0 ? sum : sum - Double(count) / n * log2(Double(count) / n)
        }
        return (impurity, total.map { Double($0) })
    }

    mutating func run(_ targets: [Float], _ order: SortedFeature, leastSamples: Int) -> (rank: Int, score: Double)? {
        for i in total.indices { (left[i], right[i]) = (0, total[i]) }
        let table = self.table
        var (leftSum, rightSum) = (0.0, total.reduce(0) { $0 + table[$1] })
        return walk(targets.count, order, leastSamples) { place in
            let label = Int(targets[place])
            leftSum += table[left[label] + 1] - table[left[label]]
            left[label] += 1
            rightSum += table[right[label] - 1] - table[right[label]]
            right[label] -= 1
        } score: { count in
            leftSum - table[count] + rightSum - table[targets.count - count]
        }
    }
}

/// The variance. The least weighted sum of it over both parts is where `(sum t)² / n` summed over them is largest; targets
/// are taken from the node's mean, which keeps the sums small.
struct VarianceScan: SplitScan {
    private var mean = 0.0

    mutating func begin(_ targets: [Float]) -> (impurity: Double, value: [Double]) {
        let n = Double(targets.count)
        let center = targets.reduce(0) { $0 + Double($1) } / n
        mean = center
        return (targets.reduce(0) { $0 + (Double($1) - center) * (Double($1) - center) } / n, [center])
    }

    mutating func run(_ targets: [Float], _ order: SortedFeature, leastSamples: Int) -> (rank: Int, score: Double)? {
        let center = mean
        let total = targets.reduce(0) { $0 + (Double($1) - center) }
        var left = 0.0
        return walk(targets.count, order, leastSamples) { place in
            left += Double(targets[place]) - center
        } score: { count in
            let right = total - left
            return left * left / Double(count) + right * right / Double(targets.count - count)
        }
    }
}
