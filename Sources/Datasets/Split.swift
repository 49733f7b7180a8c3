import Tensors

/// Which samples train, validate and test: shuffled by the seed, so that an order in the file does no harm.
///
/// The order is `0..<n` after Fisher and Yates's shuffle (for `i` from `n - 1` down to 1, exchange `i` with
/// `next() * (i + 1) >> 64`) by SplitMix64 with the state `seed ^ first(2)`, where `first(2)` is the first number of the
/// generator with the state 2. The test samples are the last `round(n x test)` of it, or, with folds, those at the places
/// from `fold x n / folds` to below `(fold + 1) x n / folds` (whole numbers). Of the rest, the last
/// `round(rest x validation)` validate; the others train. All parts keep the shuffled order. When stratified, this is
/// done for each class's part of the order by itself. Halves round away from zero.
package struct Split: Hashable, Sendable {
    package let train: [Int32]
    package let validation: [Int32]
    package let test: [Int32]

    init(train: [Int32], validation: [Int32], test: [Int32]) {
        self.train = train
        self.validation = validation
        self.test = test
    }

    /// - Parameters:
    ///   - pool: the samples to divide; any numbers.
    ///   - classes: of each sample in `pool`, in its order; needed to stratify.
    package init(_ pool: [Int32], rule: SplitRule, seed: UInt64, classes: [Int32]? = nil) {
        var order = (0..<Int32(clamping: pool.count)).map { $0 }
        var generator = SplitMix64(seed: seed, stream: 2)
        order.withUnsafeMutableBufferPointer { generator.shuffle($0) }

        var groups = [order]
        if rule.isStratified, let classes, classes.count == pool.count {
            let byClass = Dictionary(grouping: order) { classes[Int($0)] }
            groups = byClass.keys.sorted().compactMap { byClass[$0] }
        }
        var isHeld = [Part](repeating: .train, count: pool.count)
        for group in groups {
            let test = Split.testRange(rule, count: group.count)
            for place in group[test] { isHeld[Int(place)] = .test }
            let rest = group[..<test.lowerBound] + group[test.upperBound...]
            for place in rest.suffix(Split.part(rule.validation, of: rest.count)) { isHeld[Int(place)] = .validation }
        }
        func members(_ part: Part) -> [Int32] {
            order.compactMap { isHeld[Int($0)] == part ? pool[Int($0)] : nil }
        }
        train = members(.train)
        validation = members(.validation)
        test = members(.test)
    }

    /// - Parameter count: samples in all, at most `Int32.max`.
    package init(count: Int, rule: SplitRule, seed: UInt64, classes: [Int32]? = nil) {
        self.init((0..<Int32(clamping: count)).map { $0 }, rule: rule, seed: seed, classes: classes)
    }

    private enum Part { case train, validation, test }

    private static func part(_ fraction: Double, of count: Int) -> Int {
        min(Int((Double(count) * min(max(fraction, 0), 1)).rounded()), count)
    }

    private static func testRange(_ rule: SplitRule, count: Int) -> Range<Int> {
        guard let folds = rule.folds, folds > 0, (0..<folds).contains(rule.fold) else {
            return count - part(rule.test, of: count)..<count
        }
        return rule.fold * count / folds..<(rule.fold + 1) * count / folds
    }
}
