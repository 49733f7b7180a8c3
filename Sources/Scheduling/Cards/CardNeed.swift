package import JobAPI
package import Policy
package import Units

/// What a job asks of each of its GPUs. Eight bytes: it stands in every request, of which a million may wait.
package struct CardNeed: Hashable, Sendable, Codable {
    /// Of the card's memory, in MiB; 0 for all there is.
    package var mebibytes: UInt32 = 0
    /// The models it takes, as bits of ``CardRoom/models``.
    package var models: UInt16 = .max
    /// Others may have the cards too, by the job's own word.
    package var mayShare = false
    /// The policy lets it share, too: set by the scheduler.
    package internal(set) var isShared = false

    package static let whole = CardNeed()

    private init() {}

    /// So much of each card, of any model, alone.
    package init(memory: ByteSize) { mebibytes = CardRoom.roundedUp(memory) }

    package var memory: ByteSize { .mebibytes(Int64(mebibytes)) }
}

extension MachineCapacity {
    /// A job's request as the scheduler counts it. Which cards a model means depends on those that are there.
    package func request(_ resources: JobSpec.Resources) -> ResourceVector {
        var request = ResourceVector(cpus: resources.cpus, memory: resources.memory, gpus: resources.gpus)
        guard resources.gpus > 0 else { return request }
        request.card.mebibytes = resources.gpuMemory.map(CardRoom.roundedUp) ?? 0
        request.card.models = resources.gpuModel.map(models) ?? .max
        request.card.mayShare = resources.mayShareGPUs
        return request
    }

    private func models(_ text: String) -> UInt16 {
        let model = GPUModel(text)
        var bits: UInt16 = 0
        for (number, kind) in CardRoom.kinds(of: cards).enumerated() where model.matches(kind.model) {
            bits |= 1 << UInt16(number)
        }
        return bits
    }
}
