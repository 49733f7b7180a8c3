import LinuxSystem

/// One directory of `/sys/class/hwmon`: who publishes it, and what its power figures are about.
struct HwmonChip {
    let path: String
    /// The driver's name for it: `amdgpu`, `power_meter`.
    let driver: String
    private let names: Set<String>
    /// The address of its card, `0000:03:00.0`; else the directory's name.
    let place: String

    /// The files to read and what their figures are of: an energy counter, a power sensor, or both.
    struct Purpose {
        var counter: String?
        var power: String?
        var domain: String
        /// Nil where nobody knows what the sensor feeds.
        var kind: DomainKind?
        /// More than such hardware draws, in watts.
        var ceiling: Double
    }

    static func all(in roots: SystemRoots) -> [HwmonChip] {
        let base = roots.sysfs + "/class/hwmon"
        let directories = ((try? SystemFile.names(in: base)) ?? []).filter { $0.hasPrefix("hwmon") }
        // hwmon2 before hwmon10.
        return directories.sorted { ($0.count, $0) < ($1.count, $1) }.compactMap { name in
            let path = base + "/" + name
            guard let driver = try? SystemFile.word(path + "/name") else { return nil }
            return HwmonChip(path: path, directory: name, driver: driver)
        }
    }

    private init(path: String, directory: String, driver: String) {
        self.path = path
        self.driver = driver
        names = Set((try? SystemFile.names(in: path)) ?? [])
        let lines = ((try? SystemFile.text(path + "/device/uevent")) ?? "").split(separator: "\n")
        let address = lines.first { $0.hasPrefix("PCI_SLOT_NAME=") }?.dropFirst("PCI_SLOT_NAME=".count)
        place = address.map { String($0.prefix(32)) } ?? directory
    }

    /// Nil for a chip that tells neither energy nor power.
    var purpose: Purpose? {
        switch driver {
        case "amdgpu":
            return Purpose(
                counter: first(["energy1_input"]), power: powerFile, domain: "gpu-\(place)", kind: .gpu,
                ceiling: PowerBound.card
            ).ifReadable
        case "i915", "xe":
            return Purpose(
                counter: energyOfCard, domain: "gpu-\(place)", kind: .gpu, ceiling: PowerBound.card
            ).ifReadable
        case "power_meter":
            // Battery meters tell what the battery gives, which is nothing on mains.
            if (try? SystemFile.integer(path + "/power1_is_battery")) == 1 { return nil }
            return Purpose(
                power: powerFile, domain: "platform", kind: .platform, ceiling: PowerBound.platform
            ).ifReadable
        default:
            return Purpose(
                counter: first(["energy1_input"]), power: powerFile, domain: "\(driver) at \(place)",
                ceiling: PowerBound.platform
            ).ifReadable
        }
    }

    /// Whether an AMD chip is the graphics part of a processor: of all such chips only those tell the voltage of the
    /// northbridge. Its power is the socket's.
    var isPartOfProcessor: Bool {
        driver == "amdgpu" && names.contains("in1_label") && (try? SystemFile.word(path + "/in1_label")) == "vddnb"
    }

    /// An average where the chip gives one: it misses nothing between two readings.
    private var powerFile: String? { first(["power1_average", "power1_input"]) }

    private func first(_ files: [String]) -> String? { files.first { names.contains($0) } }

    /// Intel's drivers count the whole card and the chip on it; older ones the chip alone, without a label.
    private var energyOfCard: String? {
        let counters = (1...4).map { "energy\($0)_input" }.filter { names.contains($0) }
        return counters.first { (try? SystemFile.word(path + "/" + $0.dropLast(5) + "label")) == "card" }
            ?? counters.first
    }
}

extension HwmonChip.Purpose {
    fileprivate var ifReadable: Self? { counter == nil && power == nil ? nil : self }
}
