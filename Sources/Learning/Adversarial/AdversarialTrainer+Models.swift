package import Tensors

extension AdversarialTrainer {
    /// The networks of the three runners.
    package struct Models {
        package let generator: CompiledModel
        package let discriminator: CompiledModel
        package let chain: CompiledModel
    }

    /// - Parameters:
    ///   - sample: the shape of what is to be imitated.
    ///   - batchSize: real samples in a step.
    /// - Throws: `model` if the two do not fit together or to the samples.
    package static func models(
        generator: Network, discriminator: Network, sample: Shape, batchSize: Int, shards: Int
    ) throws(LearningError) -> Models {
        guard generator.inputShapes.count == 1, let made = try generator.shapes().last, made.count == sample.count
        else {
            throw LearningError(
                .model, "the generator must turn one input into \(sample), the shape of the samples")
        }
        guard discriminator.inputShapes.map(\.count) == [sample.count],
            try discriminator.shapes().last?.count == 1
        else { throw LearningError(.model, "the discriminator must turn \(sample) into one number") }
        func compile(_ network: Network, _ loss: any Loss, _ size: Int) throws(LearningError) -> CompiledModel {
            try CompiledModel(network: network, loss: loss, batchSize: size, shards: shards)
        }
        return Models(
            generator: try compile(generator, MeanSquaredError(), batchSize),
            // Half of its batch is real, half is made.
            discriminator: try compile(discriminator, BinaryCrossentropy(), 2 * batchSize),
            chain: try compile(joined(generator, discriminator), BinaryCrossentropy(), batchSize))
    }

    /// Both in a row.
    private static func joined(_ generator: Network, _ discriminator: Network) throws(LearningError) -> Network {
        let width = generator.nodes.count
        return try Network(
            inputShapes: generator.inputShapes,
            nodes: generator.nodes.map { .init(name: "generator." + $0.name, layer: $0.layer, inputs: $0.inputs) }
                + discriminator.nodes.map { node in
                    let inputs = node.inputs.map { source -> Network.Source in
                        switch source {
                        case .input: .node(width - 1)
                        case .node(let index): .node(width + index)
                        }
                    }
                    return .init(name: "discriminator." + node.name, layer: node.layer, inputs: inputs)
                })
    }
}
