import Tensors
import Testing

@testable import Learning

@Suite struct ConvolutionTests {
    private static let last = Dense(units: 3, activation: .softmax)

    private func check(_ layers: [any Layer], _ dimensions: [Int], count: Int = 2) throws {
        try GradientCheck.run(layers + [Flatten(), Self.last], Fixture.samples(count, dimensions))
    }

    @Test func gradientsWithStridesAndPadding() throws {
        try check([Conv2D(filters: 5, kernelSize: Extent(3, 2))], [5, 4, 3])
        try check([Conv2D(filters: 3, kernelSize: Extent(3), strides: Extent(2), padding: .same)], [5, 6, 3])
        try check([Conv2D(filters: 2, kernelSize: Extent(1), strides: Extent(2), padding: .same)], [5, 4, 3])
    }

    @Test func gradientsWithDilationAndGroups() throws {
        try check([Conv2D(filters: 3, kernelSize: Extent(2), dilationRate: Extent(2), usesBias: false)], [5, 4, 2])
        try check([Conv2D(filters: 6, kernelSize: Extent(3), padding: .same, groups: 2)], [4, 3, 4])
    }

    @Test func gradientsOfSequences() throws {
        try check([Conv1D(filters: 5, kernelSize: 2, padding: .causal, dilationRate: 3)], [7, 3])
        try check([Conv1D(filters: 3, kernelSize: 3, strides: 2, padding: .same, activation: .relu)], [7, 2])
    }

    @Test func gradientsOfStackedConvolutions() throws {
        try check(
            [
                Conv2D(filters: 3, kernelSize: Extent(3), padding: .same, activation: .relu), MaxPooling2D(),
                Conv2D(filters: 17, kernelSize: Extent(3), activation: .relu),
            ], [7, 6])
    }

    /// Layer and reference over random options, images and vector tails; gradients overwritten and added to.
    @Test func everyOptionEqualsTheReference() throws {
        var generator = SplitMix64(seed: 31)
        for round in 0..<80 {
            // Every fourth is one that Winograd's algorithm takes, if vectors are not too long.
            let isWinograd = round % 4 == 3
            let groups = isWinograd ? 1 : [1, 1, 1, 2, 3][generator.below(5)]
            let channels =
                isWinograd
                ? [16, 24, 28, 32][generator.below(4)] : groups * (1 + generator.below(round % 5 == 0 ? 19 : 5))
            let filters =
                isWinograd
                ? [16, 24, 28, 48][generator.below(4)] : groups * (1 + generator.below(round % 4 == 0 ? 37 : 9))
            let kernel = isWinograd ? Extent(3) : Extent(1 + generator.below(4), 1 + generator.below(4))
            var strides = Extent(1 + generator.below(3), 1 + generator.below(3))
            var dilation = Extent(1)
            if isWinograd {
                strides = Extent(1)
            } else if generator.below(3) == 0 {
                (strides, dilation) = (Extent(1), Extent(1 + generator.below(3), 1 + generator.below(3)))
            }
            let padding: ConvolutionPadding = generator.below(2) == 0 ? .same : .valid
            let relu = generator.below(2) == 0
            let layer = Conv2D(
                filters: filters, kernelSize: kernel, strides: strides, padding: padding, dilationRate: dilation,
                groups: groups, activation: relu ? .relu : .linear)
            let least = padding == .valid ? 10 : isWinograd ? 2 : 1
            let size = [least + generator.below(8), least + generator.below(8), channels]
            let accumulates = generator.below(2) == 0
            let rows = 1 + generator.below(isWinograd ? 5 : 3)
            let run = try OneLayer(layer, size, rows: rows, accumulates: accumulates)
            let shape = try layer.options.shape(height: size[0], width: size[1], channels: channels)
            let (w, b) = (generator.floats(shape.kernelCount), generator.floats(filters))
            run.set("kernel", w)
            run.set("bias", b)
            let x = generator.floats(rows * shape.inputCount)
            let dy = generator.floats(rows * shape.outputCount)
            let before = generator.floats(x.count)
            let y = try run.forward(x)
            let dx = try run.backward(dy, before: accumulates ? before : [])
            var (ey, edx): ([Double], [Double]) = ([], [])
            var dkernel = [Double](repeating: 0, count: w.count)
            var dbias = [Double](repeating: 0, count: filters)
            for row in 0..<rows {
                let image = x[(row * shape.inputCount)..<((row + 1) * shape.inputCount)].map(Double.init)
                let range = (row * shape.outputCount)..<((row + 1) * shape.outputCount)
                let slope = range.map { relu && !(y[$0] > 0) ? 0 : Double(dy[$0]) }
                let expected = shape.reference(
                    image, kernel: w.map(Double.init), bias: b.map(Double.init), gradient: slope)
                ey += relu ? expected.y.map { max($0, 0) } : expected.y
                edx += expected.dx
                for i in dkernel.indices { dkernel[i] += expected.dkernel[i] }
                for i in slope.indices { dbias[i % filters] += slope[i] }
            }
            if accumulates { for i in edx.indices { edx[i] += Double(before[i]) } }
            let what = "\(layer.options) of \(size)"
            #expect(largestError(y, ey) < 1e-4, "\(what): y")
            #expect(largestError(dx, edx) < 1e-4, "\(what): dx")
            #expect(largestError(run.gradient("kernel"), dkernel) < 1e-3, "\(what): dkernel")
            #expect(largestError(run.gradient("bias"), dbias) < 1e-4, "\(what): dbias")
        }
    }

    private func compare(_ name: String, _ layer: any Layer) throws {
        let golden = try GoldenFile("convolution")
        let shape = try golden.shape(name + ".x")
        let run = try OneLayer(layer, Array(shape.dropFirst()), rows: shape[0])
        run.set("kernel", try golden.values(name + ".kernel"))
        run.set("bias", try golden.values(name + ".bias"))
        let kernelShape = try golden.shape(name + ".kernel")
        #expect(run.plan.parameters[0].shape.dimensions == kernelShape)
        #expect(largestError(try run.forward(golden.values(name + ".x")), try golden.values(name + ".y")) < 1e-5)
        #expect(largestError(try run.backward(golden.values(name + ".dy")), try golden.values(name + ".dx")) < 1e-5)
        #expect(largestError(run.gradient("kernel"), try golden.values(name + ".dkernel")) < 1e-5)
        #expect(largestError(run.gradient("bias"), try golden.values(name + ".dbias")) < 1e-5)
    }

    @Test func valuesOfPyTorch() throws {
        try compare(
            "conv2d-same", Conv2D(filters: 5, kernelSize: Extent(3), strides: Extent(2), padding: .same))
        try compare("conv2d-valid", Conv2D(filters: 3, kernelSize: Extent(2, 3)))
        try compare("conv1d-causal", Conv1D(filters: 4, kernelSize: 3, padding: .causal, dilationRate: 2))
    }

    @Test func noOutputOfACausalConvolutionSeesALaterStep() throws {
        let run = try OneLayer(Conv1D(filters: 3, kernelSize: 3, padding: .causal, dilationRate: 2), [9, 2], rows: 1)
        var generator = SplitMix64(seed: 2)
        run.set("kernel", generator.floats(18))
        var x = generator.floats(18)
        let before = try run.forward(x)
        for i in 10..<18 { x[i] += 1 }
        let after = try run.forward(x)
        #expect(before[..<15] == after[..<15])
        #expect(before[15...] != after[15...])
    }

    @Test func aNaNStaysOne() throws {
        let run = try OneLayer(Conv2D(filters: 17, kernelSize: Extent(1), activation: .relu), [2, 3, 1], rows: 1)
        run.set("kernel", [Float](repeating: 1, count: 17))
        let y = try run.forward([1, -1, .nan, 2, 3, 4])
        #expect(y[34..<51].allSatisfy { $0.isNaN })
        #expect(y[..<34].allSatisfy { !$0.isNaN })
    }

    /// Winograd's algorithm spreads it over the tiles that read it.
    @Test func aNaNStaysOneInProductsOfTiles() throws {
        let layer = Conv2D(filters: 16, kernelSize: Extent(3), padding: .same, activation: .relu)
        let run = try OneLayer(layer, [9, 9, 16], rows: 1)
        var generator = SplitMix64(seed: 5)
        run.set("kernel", generator.floats(9 * 16 * 16))
        var x = generator.floats(9 * 9 * 16)
        x[(4 * 9 + 4) * 16] = .nan
        let y = try run.forward(x)
        for row in 3..<6 {
            for column in 3..<6 {
                let at = (row * 9 + column) * 16
                #expect(y[at..<(at + 16)].allSatisfy { $0.isNaN })
            }
        }
        #expect(!y[0].isNaN)
    }

    @Test func masksStayWhereStepsDo() throws {
        let same = try OneLayer(Conv1D(filters: 3, kernelSize: 3, padding: .same), [7, 2], rows: 1, isMasked: true)
        #expect(same.output.mask == same.input.mask)
        let valid = try OneLayer(Conv1D(filters: 3, kernelSize: 3), [7, 2], rows: 1, isMasked: true)
        #expect(valid.output.mask == nil)
    }

    @Test func whatDoesNotFitIsRefused() throws {
        let image = try Shape([5, 5, 4])
        func refuses(_ layer: any Layer, _ part: String) {
            let error = #expect(throws: LearningError.self) { try layer.outputShape([image]) }
            #expect(error?.message.contains(part) == true)
        }
        refuses(Conv2D(filters: 3, kernelSize: Extent(7)), "does not fit")
        refuses(Conv2D(filters: 3, kernelSize: Extent(3), groups: 2), "must divide")
        refuses(Conv2D(filters: 3, kernelSize: Extent(3), padding: .causal), "causal")
        refuses(Conv2D(filters: 3, kernelSize: Extent(3), strides: Extent(2), dilationRate: Extent(2)), "must be 1")
        refuses(Conv1D(filters: 3, kernelSize: 3), "[steps, channels]")
        refuses(MaxPooling2D(poolSize: Extent(6)), "does not fit")
        #expect(
            try Conv2D(filters: 3, kernelSize: Extent(3), strides: Extent(2), padding: .same).outputShape([image])
                .dimensions == [3, 3, 3])
    }
}
