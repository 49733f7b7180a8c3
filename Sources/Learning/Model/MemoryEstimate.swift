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
    /// What is in memory for a while only: files as they are read and unfolded, before they become samples; or a
    /// checkpoint that is gone on from.
    package var loading: Int
    /// The program and its libraries with nothing loaded, generously: 15 MB were measured.
    package static let program = 32 << 20

    package var total: Int { parameters + gradients + moments + arenas + data + loading + Self.program }

    /// - Parameters:
    ///   - models: one network compiled for each shape of its samples.
    ///   - keepsBest: early stopping restores the best weights.
    ///   - data: bytes of all samples.
    ///   - loading: bytes of the data's files, plus their bytes unfolded.
    package init(
        _ models: [CompiledModel], optimizer: any Optimizer, keepsBest: Bool, data: Int, loading: Int = 0
    ) {
        self.loading = loading
        self.data = data
        guard let first = models.first else { return }
        let size = MemoryLayout<Float>.stride
        let set = first.plan.parameterCount * size
        parameters = set * (keepsBest ? 2 : 1)
        gradients = set * first.shards
        moments = set * optimizer.momentCount
        self.loading = max(loading, set * (1 + optimizer.momentCount + (keepsBest ? 1 : 0)))
        arenas = models.reduce(0) { max($0, $1.plan.arenaCount) } * size * first.shards
    }
}
