import TestSupport
import Testing

@testable import Scheduling

@Suite struct OrderedSetTests {
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func likeASortedArray(seed: UInt64) {
        var random = Seeded(seed)
        var set = OrderedSet<Int>()
        var model: Set<Int> = []
        for step in 0..<3000 {
            // First mostly growing, then mostly shrinking, to nothing.
            let value = Int.random(in: 0..<400, using: &random)
            if Int.random(in: 0..<10, using: &random) < (step < 1500 ? 7 : 2) {
                #expect(set.insert(value) == model.insert(value).inserted)
            } else {
                #expect(set.remove(value) == (model.remove(value) != nil))
            }
            #expect(set.count == model.count)
            #expect(set.first == model.min())
            let probe = Int.random(in: -1...400, using: &random)
            #expect(set.first(after: probe) == model.filter { $0 > probe }.min())
            #expect(set.contains(probe) == model.contains(probe))
        }
        #expect(set.elements == model.sorted())
        for value in model { set.remove(value) }
        #expect(set.isEmpty && set.first == nil && set.count == 0)
        set.insert(7)
        #expect(set.elements == [7])
    }

    /// Ascending insertion is how jobs come; the tree must not become a list (its recursion would run out of stack).
    @Test func ascendingStaysBalanced() {
        var set = OrderedSet<Int>()
        for value in 0..<100_000 { set.insert(value) }
        #expect(set.depth < 80)
        for value in 0..<99_999 { set.remove(value) }
        #expect(set.elements == [99_999])
    }
}
