import Testing

@testable import Tensors

@Suite struct StorageTests {
    @Test func buffersStartOnACacheLineAndAreZero() throws {
        for count in [0, 1, 15, 16, 17, 1000] {
            let buffer = try FloatBuffer(count: count)
            #expect(UInt(bitPattern: buffer.base) % 64 == 0)
            #expect(buffer.values == [Float](repeating: 0, count: count))
        }
    }

    @Test func buffersRefuseImpossibleSizes() {
        #expect(throws: TensorError.self) { try FloatBuffer(count: -1) }
        #expect(throws: TensorError.self) { try FloatBuffer(count: .max) }
    }

    @Test func copyNeedsEqualSizes() throws {
        let small = try FloatBuffer(count: 3)
        let large = try FloatBuffer(count: 4)
        #expect(throws: TensorError.self) { try small.copy(from: large) }
    }

    @Test func shapesMultiplyAndRefuse() throws {
        let shape = try Shape([2, 3, 4])
        #expect(shape.count == 24)
        #expect(shape.leading == 6)
        #expect(shape.flattened.dimensions == [24])
        #expect(try shape.replacingLast(with: 5).dimensions == [2, 3, 5])
        #expect(try Shape([]).count == 1)
        for dimensions in [[0], [-1], [1 << 20, 1 << 30], [.max, 2], [1 << 62, 4]] {
            #expect(throws: TensorError.self) { try Shape(dimensions) }
        }
    }

    @Test func samplesRefuseBuffersOfAnotherSize() throws {
        let shape = try Shape([2])
        let scalar = try Shape([])
        let four = try FloatBuffer(count: 4)
        let two = try FloatBuffer(count: 2)
        _ = try Samples(count: 2, shape: shape, features: four, targetShape: scalar, targets: two)
        #expect(throws: TensorError.self) {
            try Samples(count: 3, shape: shape, features: four, targetShape: scalar, targets: two)
        }
    }
}

@Suite struct SplitMix64Tests {
    @Test func givesThePublishedSequence() {
        var generator = SplitMix64(seed: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ]
        #expect(expected.map { _ in generator.next() } == expected)
    }

    @Test func shuffleIsASeededPermutation() {
        func shuffled(_ seed: UInt64) -> [Int32] {
            var values = (0..<100).map { Int32($0) }
            var generator = SplitMix64(seed: seed)
            values.withUnsafeMutableBufferPointer { generator.shuffle($0) }
            return values
        }
        #expect(shuffled(1).sorted() == (0..<100).map { Int32($0) })
        #expect(shuffled(1) == shuffled(1))
        #expect(shuffled(1) != shuffled(2))
    }

    @Test func uniformStaysInItsRangeAndStreamsDiffer() {
        var generator = SplitMix64(seed: 3, stream: 1)
        var other = SplitMix64(seed: 3, stream: 2)
        #expect(generator.next() != other.next())
        for _ in 0..<1000 {
            let value = generator.uniform(-2, 3)
            #expect(value >= -2 && value < 3)
            #expect((0..<7).contains(generator.below(7)))
        }
    }
}
