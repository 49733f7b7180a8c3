import Glibc
import LinuxSystem
import Metering
import Policy
import Units

/// This machine, read once at start.
struct Machine: Sendable {
    var hostName: String
    var cpuModel: String
    /// Changes with every boot: tells processes of this boot from numbers of an earlier one.
    var bootID: String
    var capacity: MachineCapacity
    var size: MachineSize

    init(roots: SystemRoots) throws {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else {
            throw DaemonError(stage: "machine", message: "cannot tell the host's name: \(errnoText(errno))")
        }
        hostName = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        cpuModel = try CPUIdentity(roots: roots).modelName
        let memory = try MemoryInfo(roots: roots)
        let cpus = CPUTopology.usableCPUs()
        // From the real tree always: it names the boot of the processes we start.
        bootID = try SystemFile.word("/proc/sys/kernel/random/boot_id")
        capacity = MachineCapacity(cpus: cpus, memory: ByteSize(bytes: memory.totalBytes), gpus: 0)
        size = MachineSize(cpus: Double(cpus), memoryBytes: memory.totalBytes)
    }
}
