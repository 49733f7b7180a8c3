import Tensors
import Testing

@testable import Learning

@Suite struct PoolingTests {
    private func check(_ layers: [any Layer], _ dimensions: [Int]) throws {
        try GradientCheck.run(
            layers + [Flatten(), Dense(units: 3, activation: .softmax)], Fixture.samples(2, dimensions))
    }

    @Test func gradients() throws {
        try check([MaxPooling2D()], [5, 4, 3])
        try check([MaxPooling2D(poolSize: Extent(3, 2), strides: Extent(2, 1), padding: .same)], [5, 4, 3])
        try check([AveragePooling2D(poolSize: Extent(3), strides: Extent(2), padding: .same)], [5, 4, 3])
        try check([MaxPooling1D(poolSize: 2)], [7, 5])
        try check([AveragePooling1D(poolSize: 3, strides: 2)], [7, 5])
        try check([GlobalAveragePooling2D()], [3, 2, 5])
        try check([GlobalMaxPooling1D()], [5, 3])
        try check([UpSampling2D(size: Extent(2, 3))], [2, 3, 3])
    }

    @Test func windowsEqualTheReference() throws {
        var generator = SplitMix64(seed: 8)
        for _ in 0..<40 {
            let dimensions = [4 + generator.below(6), 4 + generator.below(6), 1 + generator.below(21)]
            let size = Extent(1 + generator.below(3), 1 + generator.below(4))
            let strides = Extent(1 + generator.below(3), 1 + generator.below(3))
            let padding: ConvolutionPadding = generator.below(2) == 0 ? .same : .valid
            let largest = MaxPooling2D(poolSize: size, strides: strides, padding: padding)
            let mean = AveragePooling2D(poolSize: size, strides: strides, padding: padding)
            let shape = try Shape(dimensions)
            let x = generator.floats(shape.count)
            for layer in [largest, mean] as [any Layer] {
                let accumulates = generator.below(2) == 0
                let run = try OneLayer(layer, dimensions, rows: 1, accumulates: accumulates)
                let y = try run.forward(x)
                let doubles = x.map(Double.init)
                let expected =
                    try layer is MaxPooling2D
                    ? largest.reference(doubles, shape: shape) : mean.reference(doubles, shape: shape)
                #expect(largestError(y, expected) < 1e-6)
                // What each window gives its inputs sums to its gradient.
                let dy = generator.floats(y.count)
                let before = generator.floats(x.count)
                let dx = try run.backward(dy, before: accumulates ? before : [])
                let given = dx.reduce(0, +) - (accumulates ? before.reduce(0, +) : 0)
                #expect(abs(given - dy.reduce(0, +)) < 1e-3)
            }
        }
    }

    @Test func theFirstOfEqualInputsGetsTheGradient() throws {
        // 17 channels: whole vectors and what is left.
        let channels = 17
        let x = [Float](repeating: 2, count: 4 * channels)
        for layer in [MaxPooling2D(), GlobalMaxPooling2D()] as [any Layer] {
            let run = try OneLayer(layer, [2, 2, channels], rows: 1)
            _ = try run.forward(x)
            let dx = try run.backward([Float](repeating: 3, count: channels))
            #expect(dx == [Float](repeating: 3, count: channels) + [Float](repeating: 0, count: 3 * channels))
        }
    }

    @Test func aNaNIsTheLargest() throws {
        for at in 0..<4 {
            var x = (0..<(4 * 17)).map { Float($0) }
            for c in 0..<17 { x[at * 17 + c] = .nan }
            for layer in [MaxPooling2D(), GlobalMaxPooling2D()] as [any Layer] {
                #expect(try OneLayer(layer, [2, 2, 17], rows: 1).forward(x).allSatisfy { $0.isNaN })
            }
        }
    }

    @Test func maskedStepsDoNotCount() throws {
        var generator = SplitMix64(seed: 4)
        let x = generator.floats(2 * 5 * 3)
        let tokens: [Float] = [4, 2, 0, 0, 0, 0, 0, 0, 0, 0]
        let isReal = tokens.map { $0 != 0 }
        let (mean, largest) = (GlobalAveragePooling1D(), GlobalMaxPooling1D())
        for layer in [mean, largest] as [any Layer] {
            let run = try OneLayer(layer, [5, 3], rows: 2, isMasked: true)
            let y = try run.forward(x, tokens: tokens)
            let expected = (0..<2).flatMap { row in
                let sample = x[(row * 15)..<((row + 1) * 15)].map(Double.init)
                let real = Array(isReal[(row * 5)..<((row + 1) * 5)])
                return layer is GlobalMaxPooling1D
                    ? largest.reference(sample, channels: 3, isReal: real)
                    : mean.reference(sample, channels: 3, isReal: real)
            }
            #expect(largestError(y, expected) < 1e-6)
            let dx = try run.backward([1, 1, 1, 1, 1, 1])
            #expect(dx[..<6].reduce(0, +) == 3)
            #expect(dx[6...].allSatisfy { $0 == 0 })
        }
    }

    @Test func upSamplingRepeatsPixels() throws {
        var generator = SplitMix64(seed: 5)
        let layer = UpSampling2D(size: Extent(3, 2))
        let run = try OneLayer(layer, [3, 2, 5], rows: 1)
        let x = generator.floats(30)
        #expect(
            largestError(try run.forward(x), layer.reference(x.map(Double.init), height: 3, width: 2, channels: 5))
                == 0)
    }
}
