import TestSupport
import Testing
import Units

@Suite struct ApportionTests {
    @Test func partsSumToTheTotal() {
        var generator = Seeded(42)
        for _ in 0..<2000 {
            let total = Int64.random(in: -1_000_000_000_000_000...1_000_000_000_000_000, using: &generator)
            let count = Int.random(in: 1...12, using: &generator)
            let weights = (0..<count).map { _ in Double.random(in: 0...1, using: &generator) }
            #expect(apportion(total, weights: weights).reduce(0, +) == total)
        }
    }

    @Test func noPartIsMoreThanOneUnitFromItsExactShare() {
        let parts = apportion(100, weights: [1, 1, 1])
        #expect(parts == [34, 33, 33])
        #expect(apportion(7, weights: [0, 2, 0, 5]) == [0, 2, 0, 5])
    }

    @Test func hostileWeightsGetNothing() {
        #expect(apportion(10, weights: [.nan, -1, .infinity, 2]) == [0, 0, 0, 10])
        #expect(apportion(10, weights: [0, 0]) == [0, 0])
        #expect(apportion(10, weights: []) == [])
    }
}
