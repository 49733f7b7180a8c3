import Tensors
import Testing

@testable import Datasets

@Suite struct AugmentationTests {
    private func changed(_ image: [Float], _ shape: [Int], _ change: Augmentation, seed: UInt64) throws -> [Float] {
        var generator = SplitMix64(seed: seed)
        let from = try FloatBuffer(count: image.count)
        let to = try FloatBuffer(count: image.count)
        for (place, value) in image.enumerated() { from.base[place] = value }
        for place in 0..<image.count { to.base[place] = .nan }
        change.apply(from: from.base, to: to.base, shape: try Shape(shape), generator: &generator)
        return to.values
    }

    @Test func everyChangeIsAFlipAndAShift() throws {
        let (height, width, channels) = (3, 4, 2)
        let image = (0..<24).map { Float($0 + 1) }
        let change = Augmentation(flipHorizontal: true, shift: 2, fill: -7)
        func expected(_ flips: Bool, _ down: Int, _ right: Int) -> [Float] {
            var result: [Float] = []
            for y in 0..<height {
                for x in 0..<width {
                    for c in 0..<channels {
                        // First mirrored, then moved.
                        let (row, moved) = (y - down, x - right)
                        let column = flips ? width - 1 - moved : moved
                        let inside = (0..<height).contains(row) && (0..<width).contains(column)
                        result.append(inside ? image[(row * width + column) * channels + c] : -7)
                    }
                }
            }
            return result
        }
        var seen: Set<[Int]> = []
        for seed in 0..<400 {
            let result = try changed(image, [height, width, channels], change, seed: UInt64(seed))
            var generator = SplitMix64(seed: UInt64(seed))
            let flips = generator.next() >> 63 == 1
            let (down, right) = (generator.below(5) - 2, generator.below(5) - 2)
            #expect(result == expected(flips, down, right))
            seen.insert([flips ? 1 : 0, down, right])
        }
        #expect(seen.count == 50)
    }

    @Test func nothingAskedForChangesNothing() throws {
        let image = (0..<12).map { Float($0) }
        #expect(try changed(image, [3, 4], Augmentation(), seed: 1) == image)
        // Not an image.
        #expect(try changed(image, [12], Augmentation(flipHorizontal: true, shift: 1), seed: 3) == image)
        // Moved out of sight.
        for seed in 0..<50 {
            let far = try changed(image, [3, 4], Augmentation(shift: 100, fill: 0.5), seed: UInt64(seed))
            #expect(far.allSatisfy { $0 == 0.5 || image.contains($0) })
        }
    }

    @Test func blackIsBlackAfterNormalisation() throws {
        let scratch = Scratch()
        var source = IDXSource()
        source.trainImages = scratch.write("i", idx([4, 1, 2], [0, 10, 0, 10, 0, 10, 0, 10]))
        source.trainLabels = scratch.write("l", idx([4], [0, 1, 0, 2]))
        source.normalization = .standardize
        source.augmentation = Augmentation(shift: 1)
        source.split = SplitRule(validation: 0, test: 0.25)
        let data = try source.load(seed: 1)
        #expect(data.augmentation == Augmentation(shift: 1, fill: -1))
        #expect(data.classes == 3 && data.preprocessing.pixels?.mean == 5)
        let outline = try source.outline(seed: 1)
        #expect(outline.trainCount == 3 && outline.testCount == 1 && outline.dataBytes == data.bytes)
        #expect(Dataset.count(data.train) == 3 && Dataset.count(data.test) == 1)
    }
}
