package import Units

/// An amount of each thing a machine has to give.
package struct ResourceVector: Hashable, Sendable, Codable {
    package var cpus: Int
    package var memory: ByteSize
    package var gpus: Int
    /// In mW, beyond the idle machine. Of a request 0 is "not stated": see ``Scheduler/planned(_:)``.
    package var power: Int
    /// What a request asks of each of its GPUs. Of an amount it means nothing: ``CardRoom`` says what the cards have left.
    package var card = CardNeed.whole

    package init(cpus: Int, memory: ByteSize, gpus: Int = 0, power: Int = 0) {
        self.cpus = cpus
        self.memory = memory
        self.gpus = gpus
        self.power = power
    }

    package static let zero = ResourceVector(cpus: 0, memory: .zero)

    /// Every amount is within that of `other`.
    package func fits(in other: ResourceVector) -> Bool {
        cpus <= other.cpus && memory <= other.memory && gpus <= other.gpus && power <= other.power
    }

    package static func + (a: ResourceVector, b: ResourceVector) -> ResourceVector {
        ResourceVector(
            cpus: a.cpus + b.cpus, memory: a.memory + b.memory, gpus: a.gpus + b.gpus, power: a.power + b.power)
    }

    package static func - (a: ResourceVector, b: ResourceVector) -> ResourceVector {
        ResourceVector(
            cpus: a.cpus - b.cpus, memory: a.memory - b.memory, gpus: a.gpus - b.gpus, power: a.power - b.power)
    }

    package static func += (a: inout ResourceVector, b: ResourceVector) { a = a + b }
    package static func -= (a: inout ResourceVector, b: ResourceVector) { a = a - b }

    /// More GPUs than any machine has, where ``CardRoom`` tells which are free.
    static let untoldGPUs = 1 << 40
    /// More power than any machine draws, where nothing limits it. Sums of it stay in range.
    static let unlimitedPower = 1 << 60

    /// With what is below zero at zero.
    var positivePart: ResourceVector {
        ResourceVector(
            cpus: max(0, cpus), memory: ByteSize(bytes: max(0, memory.bytes)), gpus: max(0, gpus), power: max(0, power))
    }
}
