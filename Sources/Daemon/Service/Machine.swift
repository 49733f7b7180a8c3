import Glibc
import LinuxSystem
import Metering
import Policy
import Scheduling
import Units

/// This machine, read once at start.
struct Machine: Sendable {
    var hostName: String
    var cpuModel: String
    /// Changes with every boot: tells processes of this boot from numbers of an earlier one.
    var bootID: String
    var capacity: MachineCapacity
    var size: MachineSize
    /// Its CPUs and GPUs one by one.
    var layout: MachineLayout
    /// Why GPUs that are there cannot be granted.
    var problems: [String]

    init(roots: SystemRoots) throws {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else {
            throw DaemonError(stage: "machine", message: "cannot tell the host's name: \(errnoText(errno))")
        }
        hostName = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        cpuModel = try CPUIdentity(roots: roots).modelName
        let memory = try MemoryInfo(roots: roots)
        let cards = InstalledCard.all(roots: roots)
        problems = cards.problems
        layout = MachineLayout(
            cpus: CPUTopology.places(of: CPUTopology.usableNumbers(), roots: roots), cards: cards.cards)
        let cpus = layout.cpus.count
        // From the real tree always: it names the boot of the processes we start.
        bootID = try SystemFile.word("/proc/sys/kernel/random/boot_id")
        capacity = MachineCapacity(
            cpus: cpus, memory: ByteSize(bytes: memory.totalBytes), gpus: layout.gpus.count,
            cards: layout.cards)
        size = MachineSize(cpus: Double(cpus), memoryBytes: memory.totalBytes)
    }
}

extension MachineLayout {
    init(cpus: [CPUPlace], cards: [InstalledCard]) {
        self.init(
            cpus: cpus.map { CPU(number: $0.number, core: $0.core, node: $0.node) },
            gpus: cards.enumerated().map { index, card in
                GPU(
                    index: index, vendor: card.vendor == .nvidia ? .nvidia : .amd, id: card.domain, name: card.name,
                    model: card.model, memory: card.memory.map { ByteSize(bytes: $0) }, node: card.node,
                    powerLimit: card.powerLimit, visibleName: card.visibleName, devices: card.devices,
                    sharedDevices: card.sharedDevices, readable: card.readable)
            })
    }
}
