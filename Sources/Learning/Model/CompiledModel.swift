package import Tensors

/// A network and its loss with a place in memory for everything: what a step runs.
package struct CompiledModel: Sendable {
    package let network: Network
    package let loss: any Loss
    package let plan: MemoryPlan
    /// One for each node of the network.
    package let steps: [any LayerStep]
    package let outputs: [Tensor]
    package let inputs: [Tensor]
    package let targetShape: Shape
    /// What turns the last output into a prediction; the loss computes it together with itself.
    package let outputActivation: Activation
    package let targets: Slot
    let lossStep: any LossStep
    /// Samples in a full batch.
    package let batchSize: Int
    /// Parts of a batch that are computed independently and summed in order. Part of the model's arithmetic, not of
    /// the machine: the number of threads does not change it, so it does not change results either.
    package let shards: Int

    /// The first input.
    package var input: Tensor { inputs[0] }

    /// The last layer's output.
    package var output: Tensor { outputs[outputs.count - 1] }

    /// - Parameter wantsInputGradient: keeps the gradient with respect to the data, for explanations and tests.
    /// - Throws: `model` if the layers, the loss and the data do not fit together.
    package init(
        network: Network, loss: any Loss, batchSize: Int, shards: Int, wantsInputGradient: Bool = false
    ) throws(LearningError) {
        let shards = min(max(shards, 1), max(batchSize, 1))
        let count = network.nodes.count
        let rows = (max(batchSize, 1) + shards - 1) / shards
        _ = try network.shapes()
        var plan = MemoryPlan.Builder(rows: rows, nodes: count)
        let inputs = network.inputShapes.map { shape in
            Tensor(
                shape: shape, value: plan.slot(rows * shape.count, 0, 0),
                gradient: wantsInputGradient ? plan.slot(rows * shape.count, plan.endTick, plan.endTick) : nil)
        }

        var consumers: [Network.Source: [Int]] = [:]
        for (index, node) in network.nodes.enumerated() {
            for source in node.inputs { consumers[source, default: []].append(index) }
        }

        var outputActivation = Activation.linear
        var outputs: [Tensor] = []
        var steps: [any LayerStep] = []
        for (index, node) in network.nodes.enumerated() {
            plan.begin(node: index, name: node.name)
            let sources = node.inputs.enumerated().map { position, source in
                let tensor =
                    switch source {
                    case .input(let index): inputs[index]
                    case .node(let index): outputs[index]
                    }
                // Backward runs in reverse: the last consumer comes first and overwrites, at its first reading.
                let readers = consumers[source] ?? []
                return LayerInput(
                    tensor: tensor,
                    accumulates: readers.last != index || node.inputs[..<position].contains(source),
                    isShared: readers.count > 1)
            }
            for source in sources { plan.consume(source.tensor) }
            var layer = node.layer
            if index == count - 1, let split = layer.splitOutputActivation, split.activation == loss.fusedActivation {
                layer = split.layer
                outputActivation = split.activation
            }
            do {
                let bound = try layer.bind(sources, &plan)
                plan.consume(bound.output)
                outputs.append(bound.output)
                steps.append(bound.step)
            } catch {
                throw LearningError(error.code, "layer \"\(node.name)\": \(error.message)", layer: index)
            }
        }
        if let fused = loss.fusedActivation, outputActivation != fused {
            throw LearningError(
                .model, "the loss \(loss.name) needs a last layer with activation = \"\(fused.rawValue)\"",
                layer: count - 1)
        }
        let output = outputs[count - 1]
        plan.touch(output.value, at: plan.lossTick)
        if let gradient = output.gradient { plan.touch(gradient, at: plan.lossTick) }
        targetShape = try loss.targetShape(output.shape)
        targets = plan.slot(rows * targetShape.count, plan.gatherTick, plan.lossTick)
        lossStep = try loss.bind(output)
        for input in inputs { plan.touch(input.value, at: plan.gatherTick) }

        self.plan = plan.finish()
        self.network = network
        self.loss = loss
        self.steps = steps
        self.outputs = outputs
        self.inputs = inputs
        self.outputActivation = outputActivation
        self.batchSize = max(batchSize, 1)
        self.shards = shards
    }

    /// Whether it was compiled for the shapes of these samples.
    package func takes(_ samples: Samples) -> Bool {
        guard samples.inputs.count == inputs.count else { return false }
        for (shape, input) in zip(samples.inputs, inputs) where shape.count != input.shape.count { return false }
        return true
    }

    /// The positions of these samples that count in the loss, of whose losses the mean is taken.
    func positions(_ samples: Samples, _ indices: UnsafeBufferPointer<Int32>) -> Int {
        let width = targetShape.count
        guard let ignored = loss.ignoredTarget else {
            return indices.count * width / loss.targetsPerPosition(output.shape)
        }
        var count = 0
        for index in indices {
            let targets = samples.targets.base + Int(index) * width
            for i in 0..<width where targets[i] != ignored { count += 1 }
        }
        return count
    }

    /// The samples of a batch of `count` that belong to a shard: parts as equal as can be, the first ones longer.
    func range(ofShard shard: Int, count: Int) -> Range<Int> {
        let size = count / shards
        let longer = count % shards
        let start = shard * size + min(shard, longer)
        return start..<(start + size + (shard < longer ? 1 : 0))
    }

    /// To be called on all samples before the first step: the loss finds classes by the targets' values, unchecked.
    ///
    /// - Throws: `data` if the samples do not suit the model.
    package func check(_ samples: Samples, named name: String) throws(LearningError) {
        guard samples.inputs.map(\.count) == inputs.map(\.shape.count) else {
            func text(_ shapes: [Shape]) -> String { shapes.map(\.description).joined(separator: " and ") }
            throw LearningError(
                .data,
                "the \(name) samples are \(text(samples.inputs)), the model takes \(text(inputs.map(\.shape)))")
        }
        guard samples.targetShape.count == targetShape.count else {
            throw LearningError(
                .data, "the \(name) targets are \(samples.targetShape), the model gives \(targetShape)")
        }
        try loss.check(samples, output: output.shape, named: name)
    }
}
