import Tensors

/// Which samples train and which validate: shuffled by the seed, so that an order in the file does no harm.
package struct Split: Hashable, Sendable {
    package let train: [Int32]
    package let validation: [Int32]

    /// - Parameters:
    ///   - count: samples in all, at most `Int32.max`.
    ///   - validationFraction: from 0 to below 1; rounded to whole samples.
    package init(count: Int, validationFraction: Double, seed: UInt64) {
        var order = (0..<Int32(clamping: count)).map { $0 }
        var generator = SplitMix64(seed: seed, stream: 2)
        order.withUnsafeMutableBufferPointer { generator.shuffle($0) }
        let held = min(Int((Double(count) * min(max(validationFraction, 0), 1)).rounded()), order.count)
        train = Array(order.dropLast(held))
        validation = Array(order.suffix(held))
    }
}
