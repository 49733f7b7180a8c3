import Tensors

/// What training will hold in memory, in bytes, computed from the plan.
package struct MemoryEstimate: Hashable, Sendable {
    /// The weights, and a second copy where the best are kept.
    package var parameters = 0
    /// One set for each shard.
    package var gradients = 0
    package var moments = 0
    /// One for each shard.
    package var arenas = 0
    package var data = 0

    package var total: Int { parameters + gradients + moments + arenas + data }

    /// - Parameters:
    ///   - keepsBest: early stopping restores the best weights.
    ///   - samples: in all data sets together.
    package init(_ model: CompiledModel, optimizer: any Optimizer, keepsBest: Bool, samples: Int) {
        let size = MemoryLayout<Float>.stride
        let set = model.plan.parameterCount * size
        parameters = set * (keepsBest ? 2 : 1)
        gradients = set * model.shards
        moments = set * optimizer.momentCount
        arenas = model.plan.arenaCount * size * model.shards
        data = samples * (model.input.shape.count + model.targetShape.count) * size
    }
}
