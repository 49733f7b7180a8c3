import LinuxSystem

/// Who computes on an AMD card by way of ROCm, as the kernel's driver for it (amdkfd) lists them in sysfs:
/// `class/kfd/kfd/proc/PID/vram_ID`, the bytes of the card's memory a process holds. In kernels since 2020; it tells neither
/// how busy a process keeps the card nor who draws pictures on it.
///
/// The times of engines in `/proc/PID/fdinfo` do not hold the work of ROCm, whose queues are in user space. To share by
/// them would give a job's energy to the screen's server.
struct KFDCard: Sendable {
    private let processes: String
    /// The driver's number of the card.
    private let id: UInt64
    /// Whether it is the graphics part of a processor, which this kernel lists as one with it.
    let isPartOfProcessor: Bool
    /// What ROCm calls it, `GPU-` and 16 hexadecimal digits; nil for cards without a number of their own.
    let uniqueName: String?

    /// - Parameter address: the card's on the PCI bus, `0000:03:00.0`.
    /// - Returns: nil where amdkfd does not know the card.
    init?(roots: SystemRoots, address: String) {
        let base = roots.sysfs + "/class/kfd/kfd"
        let nodes = base + "/topology/nodes"
        let names = (try? SystemFile.names(in: nodes)) ?? []
        let found = names.lazy.compactMap { name -> (id: UInt64, values: [Substring: UInt64])? in
            // Processors are nodes too; their number is 0.
            guard let id = try? SystemFile.integer("\(nodes)/\(name)/gpu_id"), id > 0,
                let properties = try? SystemFile.text("\(nodes)/\(name)/properties", limit: 16_384)
            else { return nil }
            let values = Self.values(properties)
            return Self.address(values) == address ? (id, values) : nil
        }
        guard let (id, values) = found.first else { return nil }
        self.id = id
        isPartOfProcessor = values["cpu_cores_count", default: 0] > 0 && values["simd_count", default: 0] > 0
        let unique = values["unique_id", default: 0]
        uniqueName = unique > 0 ? "GPU-" + Self.hex(unique, 16) : nil
        processes = base + "/proc"
    }

    /// Lines of a name and a number.
    private static func values(_ properties: String) -> [Substring: UInt64] {
        var values: [Substring: UInt64] = [:]
        for line in properties.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, let value = UInt64(words[1]) { values[words[0]] = value }
        }
        return values
    }

    /// From `domain`, and bus, device and function in `location_id`.
    private static func address(_ values: [Substring: UInt64]) -> String? {
        guard let location = values["location_id"], location <= 0xFFFF else { return nil }
        let device = "\(Self.hex(location >> 8, 2)):\(Self.hex(location >> 3 & 0x1F, 2)).\(location & 7)"
        return "\(Self.hex(values["domain"] ?? 0, 4)):\(device)"
    }

    private static func hex(_ value: UInt64, _ digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    func running() throws(SystemFileError) -> CardProcesses.Running {
        var running: CardProcesses.Running = [:]
        for name in try SystemFile.names(in: processes) {
            guard let pid = Int32(name), pid > 0 else { continue }
            do throws(SystemFileError) {
                let bytes = try SystemFile.integer("\(processes)/\(name)/vram_\(id)")
                // The driver opens every card for every process.
                if bytes > 0 { running[pid] = CardProcesses.Holding(bytes: Int64(clamping: bytes)) }
            } catch {
                // It has ended meanwhile.
                if error.kind != .missing { throw error }
            }
        }
        return running
    }
}
