package import LinuxSystem

/// A card that can be given to a job: what it is called, and by which files of the machine it is reached.
package struct InstalledCard: Sendable, Hashable {
    package enum Vendor: String, Sendable, Hashable { case nvidia, amd }

    package var vendor: Vendor
    /// Its power domain, as its meter calls it.
    package var domain: String
    /// For people.
    package var name: String
    /// The same of all cards of a kind, by which jobs ask for one.
    package var model: String
    /// Its own memory in bytes; nil where its driver does not say.
    package var memory: Int64?
    /// The memory node (NUMA) it is near to; nil where the machine does not say.
    package var node: Int?
    /// What its driver lets it draw at most, in watts; nil where that is not told.
    package var powerLimit: Double?
    /// What its driver's `*_VISIBLE_DEVICES` calls it.
    package var visibleName: String
    /// Device nodes of this card alone.
    package var devices: [String]
    /// Device nodes of its driver, for whoever has such a card.
    package var sharedDevices: [String]
    /// What else its driver's libraries read of the kernel's file systems.
    package var readable: [String]

    /// What a look for cards found, and what cannot be granted, in words.
    package struct Search: Sendable {
        package var cards: [InstalledCard] = []
        package var problems: [String] = []
    }

    /// NVIDIA's cards in the order of their driver, then AMD's. A driver that does not answer within `patience` seconds has
    /// none to grant.
    package static func all(roots: SystemRoots, patience: Double = NVMLReader.startPatience) -> Search {
        var search = nvidia(roots, patience)
        search.cards += amd(roots)
        return search
    }

    /// `-1` is what the kernel writes for "not known", and nonsense is as good.
    private static func node(_ directory: String) -> Int? {
        (try? SystemFile.word(directory + "/numa_node")).flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
    }
}

extension InstalledCard {
    private static func nvidia(_ roots: SystemRoots, _ patience: Double) -> Search {
        guard let name = roots.nvml else { return Search() }
        // A driver may hang; see NVMLReader.
        guard let call = try? BoundedCall({ nvidia(roots, library: name) }),
            let found = call.answer(within: patience)
        else { return Search(problems: ["NVIDIA's GPUs cannot be granted: NVML does not answer"]) }
        return found
    }

    private static func nvidia(_ roots: SystemRoots, library name: String) -> Search {
        var search = Search()
        do throws(NVML.Opening) {
            let library = try NVML(library: name)
            do throws(NVML.Failure) {
                for index in 0..<(try library.count()) {
                    do throws(NVML.Failure) {
                        let card = try nvidia(roots, library, index)
                        if let card {
                            search.cards.append(card)
                        } else {
                            search.problems.append("GPU \(index) is divided into instances (MIG): not granted")
                        }
                    } catch {
                        search.problems.append("GPU \(index) cannot be granted: \(error.reason)")
                    }
                }
            } catch {
                search.problems.append("NVIDIA's GPUs cannot be granted: \(error.reason)")
            }
        } catch {
            if case .unusable(let reason) = error {
                search.problems.append("NVIDIA's GPUs cannot be granted: \(reason)")
            }
        }
        return search
    }

    /// - Returns: nil for a card that is divided.
    private static func nvidia(
        _ roots: SystemRoots, _ library: NVML, _ index: Int
    ) throws(NVML.Failure) -> InstalledCard? {
        let device = try library.device(index)
        let uuid = try library.uuid(device)
        if library.isDivided(device) { return nil }
        // Without its place it is granted all the same.
        var address: String?
        do throws(NVML.Failure) { address = try library.address(device) } catch { address = nil }
        return InstalledCard(
            vendor: .nvidia, domain: NVMLCard.domain(uuid: uuid), name: try library.name(device),
            model: try library.name(device), memory: try? library.memory(device),
            node: address.flatMap { node(roots.sysfs + "/bus/pci/devices/" + $0) },
            powerLimit: try? library.powerLimit(device), visibleName: uuid,
            devices: ["/dev/nvidia\(try library.minorNumber(device))"],
            sharedDevices: ["nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset"].map { "/dev/" + $0 },
            readable: [])
    }

    private static func amd(_ roots: SystemRoots) -> [InstalledCard] {
        let base = roots.sysfs + "/class/drm"
        let numbers = ((try? SystemFile.names(in: base)) ?? [])
            // Not `card0-HDMI-A-1`, which is a connector.
            .compactMap { $0.hasPrefix("card") ? Int($0.dropFirst(4)) : nil }.sorted()
        let processors = Set(HwmonChip.all(in: roots).filter(\.isPartOfProcessor).map(\.place))
        var cards: [InstalledCard] = []
        for number in numbers {
            let device = "\(base)/card\(number)/device"
            let lines = ((try? SystemFile.text(device + "/uevent")) ?? "").split(separator: "\n")
            func value(_ key: String) -> String? {
                lines.first { $0.hasPrefix(key + "=") }.map { String($0.dropFirst(key.count + 1).prefix(32)) }
            }
            guard value("DRIVER") == "amdgpu", let address = value("PCI_SLOT_NAME") else { continue }
            let compute = KFDCard(roots: roots, address: address)
            if processors.contains(address) || compute?.isPartOfProcessor == true { continue }
            let nodes = ((try? SystemFile.names(in: device + "/drm")) ?? []).filter { isRenderNode($0) }
            cards.append(
                InstalledCard(
                    vendor: .amd, domain: "gpu-" + address, name: "AMD GPU at \(address)", model: amdModel(device),
                    memory: amdMemory(device), node: node(device),
                    powerLimit: powerLimit(device),
                    visibleName: compute?.uniqueName ?? "\(cards.count)",
                    devices: (["card\(number)"] + nodes).map { "/dev/dri/" + $0 }, sharedDevices: ["/dev/kfd"],
                    readable: ["/sys/devices/virtual/kfd/kfd/topology"]))
        }
        return cards
    }

    /// What amdgpu calls it: of cards for servers their name, of others nothing.
    private static func amdModel(_ device: String) -> String {
        let name = ((try? SystemFile.text(device + "/product_name")) ?? "").split(separator: "\n").first ?? ""
        let plain = name.filter { !$0.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) } }
        return plain.allSatisfy(\.isWhitespace) ? "AMD GPU" : "AMD " + plain.prefix(64)
    }

    /// `mem_info_vram_total` of amdgpu, in bytes.
    private static func amdMemory(_ device: String) -> Int64? {
        guard let bytes = try? SystemFile.integer(device + "/mem_info_vram_total"), (1...(1 << 50)).contains(bytes)
        else {
            return nil
        }
        return Int64(bytes)
    }

    /// `power1_cap` of amdgpu, in uW.
    private static func powerLimit(_ device: String) -> Double? {
        let chips = (try? SystemFile.names(in: device + "/hwmon")) ?? []
        return chips.lazy.compactMap { try? SystemFile.integer("\(device)/hwmon/\($0)/power1_cap") }
            .first { $0 > 0 && $0 < 10_000_000_000 }.map { Double($0) / 1e6 }
    }

    private static func isRenderNode(_ name: String) -> Bool {
        name.hasPrefix("renderD") && Int(name.dropFirst("renderD".count)) != nil
    }
}
