import Testing
import Units

@Suite struct ApportionTests {
    @Test func partsSumToTheTotal() {
        var generator = Seeded(state: 42)
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

/// SplitMix64: the same sequence on every run and machine.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
