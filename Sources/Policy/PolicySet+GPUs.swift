import JobAPI
import Units

// What a job may ask of each of its GPUs.
extension PolicySet {
    func malformedGPUs(_ resources: JobSpec.Resources) -> Refusal? {
        if let memory = resources.gpuMemory, !(ByteSize.mebibytes(1)...ByteSize(bytes: 1 << 50)).contains(memory) {
            return Refusal("asks for \(memory) of each gpu's memory", hint: "ask for 1 MiB to 1 PiB")
        }
        if let problem = resources.gpuModel.flatMap(GPUModel.problem) {
            return Refusal("the model of its gpus \(problem)", hint: "name one as mlctl devices does")
        }
        if resources.gpuShare == true, resources.gpuMemory == nil {
            return Refusal(
                "would share its gpus, and does not say how much of their memory it needs",
                hint: "ask for it with memory, or leave out share")
        }
        return nil
    }

    /// Cards of its model with that much memory, of which the machine has fewer.
    func missing(_ asked: JobSpec.Resources, of machine: MachineCapacity) -> Refusal? {
        guard asked.gpus > 0, asked.gpuMemory != nil || asked.gpuModel != nil else { return nil }
        let model = asked.gpuModel.map(GPUModel.init)
        let alike = machine.cards.filter { card in model.map { $0.matches(card.model) } ?? true }
        let fitting = alike.filter { card in
            asked.gpuMemory.map { memory in card.memory.map { memory <= $0 } ?? false } ?? true
        }
        guard fitting.count < asked.gpus else { return nil }
        let words = asked.gpuWords ?? ""
        if machine.cards.isEmpty {
            return Refusal(
                "asks for \(words), and it is not known of what model and memory the gpus here are",
                hint: "ask for gpus = \(asked.gpus) alone")
        }
        let has = machine.cardWords
        let hint: String
        if alike.count < asked.gpus {
            hint =
                alike.isEmpty ? "leave out the model, or ask for one of these" : "ask for at most \(alike.count) of it"
        } else if let most = alike.compactMap(\.memory).sorted(by: >).dropFirst(asked.gpus - 1).first {
            hint = "ask for at most \(most) of each"
        } else {
            hint = "leave out the memory: how much these have their driver does not say"
        }
        return Refusal("asks for \(words); there is \(has)", hint: hint)
    }
}

extension MachineCapacity {
    /// `2 x NVIDIA A100 with 40 GiB and 1 x Tesla T4 with 15 GiB`.
    package var cardWords: String {
        var kinds: [(card: Card, count: Int)] = []
        for card in cards {
            let index = kinds.firstIndex { $0.card.model == card.model && $0.card.memory == card.memory }
            if let index { kinds[index].count += 1 } else { kinds.append((card, 1)) }
        }
        let words = kinds.map { card, count in
            "\(count) x \(printable(card.model))" + (card.memory.map { " with \($0)" } ?? "")
        }
        return words.isEmpty ? "none" : words.joined(separator: " and ")
    }
}
