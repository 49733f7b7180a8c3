package import JobAPI
import Units

/// What makes two jobs alike, from what says most of a run to what says least.
package enum Likeness: Int, CaseIterable, Hashable, Sendable {
    /// Of one user, with one name, that run the very same and ask for the same.
    case job
    /// Of one user, that run the same but for numbers in it, and ask for the same.
    case work
    /// Of one user, with one name.
    case name
    /// Of one user, in one queue.
    case queue

    /// How many runs have to be known before they say anything.
    package var leastRuns: Int {
        switch self {
        case .job, .work: 3
        case .name: 5
        case .queue: 10
        }
    }

    package var words: String {
        switch self {
        case .job: "of the same user, name, command and request"
        case .work: "of the same user and request, with a command that differs in numbers only"
        case .name: "of the same user and name"
        case .queue: "of the same user in the same queue"
        }
    }
}

/// Under which keys the runs of a job are remembered: one for each ``Likeness``, a hash that is the same in every process.
package struct JobKeys: Hashable, Sendable {
    package let job: UInt64
    package let work: UInt64
    package let name: UInt64
    package let queue: UInt64
    /// All that runs on the machine with as many cards: no kind of job, but what a CPU's worth of one draws here.
    let machine: UInt64

    /// - Parameters:
    ///   - user: its number.
    ///   - work: what it runs.
    ///   - shape: the same without what changes from run to run.
    package init(
        user: UInt32, name: String, work: some Sequence<UInt8>, shape: some Sequence<UInt8>, queue: String,
        request: ResourceVector, gpuModel: String? = nil
    ) {
        // Cards change all: what ran with one says nothing of what runs without.
        func begin(_ kind: UInt64) -> FNV { FNV(kind, UInt64(user), UInt64(bitPattern: Int64(request.gpus))) }
        func asking(_ kind: UInt64) -> FNV {
            var hash = begin(kind)
            hash.add(UInt64(bitPattern: Int64(request.cpus)))
            hash.add(UInt64(bitPattern: request.memory.bytes))
            // Where nothing is asked of the cards the hash is as it was before anything could be.
            if request.card.mebibytes > 0 { hash.add(UInt64(request.card.mebibytes)) }
            if let gpuModel { hash.add(GPUModel(gpuModel).key) }
            return hash
        }
        var hash = asking(1)
        hash.add(name.utf8)
        hash.add(UInt64(name.utf8.count))
        hash.add(work)
        job = hash.key
        hash = asking(2)
        hash.add(shape)
        self.work = hash.key
        hash = begin(3)
        hash.add(name.utf8)
        self.name = hash.key
        hash = begin(4)
        hash.add(queue.utf8)
        self.queue = hash.key
        machine = FNV(5, UInt64(bitPattern: Int64(request.gpus))).key
    }

    package subscript(likeness: Likeness) -> UInt64 {
        switch likeness {
        case .job: job
        case .work: work
        case .name: name
        case .queue: queue
        }
    }

    /// What is left of a text when each number in it is one sign.
    package static func shape(of text: String) -> [UInt8] { WorkText.shape(of: text.utf8) }
}

/// FNV-1a, the same in every process.
private struct FNV {
    private var hash: UInt64 = 0xcbf2_9ce4_8422_2325

    init(_ numbers: UInt64...) { for number in numbers { add(number) } }

    /// Never 0, which stands for no key.
    var key: UInt64 { max(hash, 1) }

    mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }

    mutating func add(_ number: UInt64) {
        for shift in stride(from: 0 as UInt64, to: 64, by: 8) {
            hash = (hash ^ (number >> shift & 0xff)) &* 0x100_0000_01b3
        }
    }
}

extension JobKeys {
    /// Of a job as it was submitted, in the queue that the policy gave it.
    package init(_ spec: JobSpec, user: UInt32, queue: String) {
        var request = ResourceVector(
            cpus: spec.resources.cpus, memory: spec.resources.memory, gpus: spec.resources.gpus)
        request.card.mebibytes = spec.resources.gpuMemory.map(CardRoom.roundedUp) ?? 0
        var work = WorkText()
        if let command = spec.command {
            for word in command.argv { work.add(word) }
            for name in command.env.keys.sorted() { work.add(name + "=" + (command.env[name] ?? "")) }
        }
        if let train = spec.train {
            for table in [train.train, train.data, train.model] { work.add(table) }
        }
        self.init(
            user: user, name: spec.title, work: work.bytes, shape: work.shape, queue: queue, request: request,
            gpuModel: spec.resources.gpuModel)
    }
}
