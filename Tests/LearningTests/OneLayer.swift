import Tensors

@testable import Learning

/// One layer on its own, to be given inputs, parameters and the gradient of its output.
final class OneLayer {
    let rows: Int
    let input: Tensor
    let output: Tensor
    let plan: MemoryPlan
    let parameters: FloatBuffer
    let gradients: FloatBuffer
    private let step: any LayerStep
    private let arena: FloatBuffer
    private let offsets: UnsafeMutablePointer<Int>
    private let parameterOffsets: UnsafeMutablePointer<Int>
    private let tokens: Slot

    /// - Parameter accumulates: the layer must add to the gradient of its input.
    init(_ layer: any Layer, _ dimensions: [Int], rows: Int, accumulates: Bool = false, isMasked: Bool = false) throws {
        var builder = MemoryPlan.Builder(rows: rows, nodes: 1)
        let shape = try Shape(dimensions)
        tokens = builder.slot(rows * dimensions[0], 0, builder.endTick)
        input = Tensor(
            shape: shape, value: builder.slot(rows * shape.count, 0, builder.endTick),
            gradient: builder.slot(rows * shape.count, 0, builder.endTick),
            mask: isMasked ? Mask(tokens: tokens, steps: dimensions[0]) : nil)
        builder.begin(node: 0, name: "layer")
        let bound = try layer.bind(
            [LayerInput(tensor: input, accumulates: accumulates, isShared: accumulates)], &builder)
        for slot in [bound.output.value, bound.output.gradient].compactMap({ $0 }) { builder.keep(slot) }
        output = bound.output
        step = bound.step
        plan = builder.finish()
        self.rows = rows
        parameters = try FloatBuffer(count: plan.parameterCount)
        gradients = try FloatBuffer(count: plan.parameterCount)
        arena = try FloatBuffer(count: plan.arenaCount)
        // What a layer forgets to write shows.
        for i in 0..<arena.count { arena.base[i] = .nan }
        for i in 0..<gradients.count { gradients.base[i] = .nan }
        offsets = .allocate(capacity: plan.offsets.count)
        for (i, offset) in plan.offsets.enumerated() { (offsets + i).initialize(to: offset) }
        parameterOffsets = .allocate(capacity: plan.parameters.count + 1)
        for (i, parameter) in plan.parameters.enumerated() { (parameterOffsets + i).initialize(to: parameter.offset) }
    }

    deinit {
        offsets.deallocate()
        parameterOffsets.deallocate()
    }

    private func frame(isTraining: Bool) -> Frame {
        Frame(
            rows: rows, isTraining: isTraining, randomKey: 1, share: 1, arena: arena.base, offsets: offsets,
            parameterOffsets: parameterOffsets, parameters: parameters.base, parameterGradients: gradients.base)
    }

    func set(_ parameter: String, _ values: [Float]) {
        for entry in plan.parameters where entry.name == "layer." + parameter {
            for (i, value) in values.enumerated() { parameters.base[entry.offset + i] = value }
        }
    }

    func gradient(_ parameter: String) -> [Float] {
        plan.parameters.filter { $0.name == "layer." + parameter }.flatMap { entry in
            (0..<entry.count).map { gradients.base[entry.offset + $0] }
        }
    }

    func forward(_ x: [Float], tokens: [Float] = [], isTraining: Bool = true) throws -> [Float] {
        write(x, input.value)
        write(tokens, self.tokens)
        try step.forward(frame(isTraining: isTraining))
        return read(output.value, rows * output.shape.count)
    }

    /// - Parameter before: what the input's gradient holds already.
    func backward(_ dy: [Float], before: [Float] = []) throws -> [Float] {
        write(dy, output.gradient)
        write(before, input.gradient)
        try step.backward(frame(isTraining: true))
        return read(input.gradient, rows * input.shape.count)
    }

    private func write(_ values: [Float], _ slot: Slot?) {
        guard let slot else { return }
        for (i, value) in values.enumerated() { arena.base[plan.offsets[slot.index] + i] = value }
    }

    private func read(_ slot: Slot?, _ count: Int) -> [Float] {
        guard let slot else { return [] }
        return Array(UnsafeBufferPointer(start: arena.base + plan.offsets[slot.index], count: count))
    }
}

/// The largest difference, in proportion to the larger of 1 and the values.
func largestError(_ values: [Float], _ expected: [Double]) -> Double {
    if values.count != expected.count { return .infinity }
    return zip(values, expected).reduce(0) { worst, pair in
        let error = abs(Double(pair.0) - pair.1) / max(1, abs(pair.1))
        return error.isNaN ? .infinity : max(worst, error)
    }
}

func largestError(_ values: [Float], _ expected: [Float]) -> Double { largestError(values, expected.map(Double.init)) }

extension SplitMix64 {
    mutating func floats(_ count: Int) -> [Float] { (0..<count).map { _ in uniform(-1, 1) } }
}
