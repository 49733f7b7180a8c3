import Tensors

/// In which order an epoch takes its samples: those of each bucket shuffled, cut into batches, the batches shuffled too
/// where there is more than one bucket. A function of the seed and the epoch alone, so that training can go on from any
/// batch.
struct EpochOrder {
    struct Batch {
        let bucket: Int
        let range: Range<Int>
    }

    private(set) var batches: [Batch]
    private var indices: [[Int32]]
    private let selections: [SampleSelection]
    private let batchSize: Int

    init(_ selections: [SampleSelection], batchSize: Int) {
        self.selections = selections
        self.batchSize = batchSize
        indices = selections.map(\.indices)
        batches = []
    }

    mutating func shuffle(seed: UInt64, epoch: Int) {
        var generator = SplitMix64(seed: SplitMix64.mix(seed, 3, UInt64(epoch)))
        batches.removeAll(keepingCapacity: true)
        for bucket in selections.indices {
            // From the same start each time, else an epoch's order would depend on the ones before.
            indices[bucket].replaceSubrange(indices[bucket].indices, with: selections[bucket].indices)
            indices[bucket].withUnsafeMutableBufferPointer { generator.shuffle($0) }
            for start in stride(from: 0, to: indices[bucket].count, by: batchSize) {
                batches.append(
                    Batch(bucket: bucket, range: start..<min(start + batchSize, indices[bucket].count)))
            }
        }
        if selections.count > 1 { batches.shuffle(using: &generator) }
    }

    func withIndices<T, E: Error>(
        of batch: Batch, _ body: (UnsafeBufferPointer<Int32>) throws(E) -> T
    ) throws(E) -> T {
        try indices[batch.bucket].withUnsafeBufferPointer { all throws(E) in
            try body(UnsafeBufferPointer(rebasing: all[batch.range]))
        }
    }
}
