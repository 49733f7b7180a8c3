import LinuxSystem

/// Lists the powercap zones of a tree and decides which are read, and why the others are not.
struct PowercapDiscovery {
    var counted: [(description: MeterDescription, zone: PowercapZone)] = []
    var unused: [MeterDescription] = []

    var isEmpty: Bool { counted.isEmpty && unused.isEmpty }

    private enum Role { case package, memory, platform, part }

    init(roots: SystemRoots) {
        let base = roots.sysfs + "/class/powercap"
        let zones = Self.zonePaths(base)
        var names: [String: String] = [:]
        for zone in zones { names[zone.name] = try? SystemFile.word(zone.path + "/name") }
        // Packages first: whether one can be read decides about the platform zone.
        var taken: Set<String> = []
        for wanted in [Role.package, .memory, .platform, .part] {
            for zone in zones {
                guard let name = names[zone.name], Self.role(name) == wanted else { continue }
                add(zone.path, directory: zone.name, name: name, role: wanted, names: names, taken: &taken)
            }
        }
    }

    private mutating func add(
        _ path: String, directory: String, name: String, role: Role, names: [String: String], taken: inout Set<String>
    ) {
        let parent = Self.parent(of: directory).flatMap { names[$0] }
        let domain = Self.domain(name: name, role: role, parent: parent)
        var description = MeterDescription(
            domain: domain, kind: Self.kind(role), source: "RAPL counter \(name) (\(directory)) through powercap",
            tier: .measured, updatesPerSecond: 1000)
        func refuse(_ reason: String) {
            description.status = reason
            description.counted = false
            unused.append(description)
        }
        if role == .part { return refuse("lies inside \(parent ?? "another domain"): not counted") }
        if taken.contains(domain) { return refuse("repeats \(domain), which is already counted") }
        let zone = PowercapZone(path: path, kindBound: Self.bound(role))
        do {
            _ = try zone.value()
        } catch {
            let hint = error.kind == .unreadable ? " (energy_uj is readable by root only)" : ""
            return refuse("cannot be read: \(error.message)\(hint)")
        }
        let hasPackage = counted.contains { $0.description.kind == .cpu }
        let hasPlatform = counted.contains { $0.description.kind == .platform }
        if role == .platform, hasPackage { return refuse("holds the packages, which are counted one by one") }
        if role == .platform, hasPlatform { return refuse("repeats a platform zone that is already counted") }
        taken.insert(domain)
        counted.append((description, zone))
        if role == .platform { dropMemory(for: domain) }
    }

    /// A platform zone holds the memory too.
    private mutating func dropMemory(for platform: String) {
        for entry in counted where entry.description.kind == .memory {
            var description = entry.description
            description.status = "lies inside \(platform): not counted"
            description.counted = false
            unused.append(description)
        }
        counted.removeAll { $0.description.kind == .memory }
    }

    private static func role(_ name: String) -> Role {
        if name.hasPrefix("package") { return .package }
        if name == "dram" || name.hasPrefix("dram-") { return .memory }
        if name.hasPrefix("psys") || name.hasPrefix("platform") { return .platform }
        return .part
    }

    private static func kind(_ role: Role) -> DomainKind {
        switch role {
        case .package, .part: .cpu
        case .memory: .memory
        case .platform: .platform
        }
    }

    private static func bound(_ role: Role) -> Double {
        switch role {
        case .package, .part: PowerBound.package
        case .memory: PowerBound.memory
        case .platform: PowerBound.platform
        }
    }

    /// `dram` under `package-1` is `dram-1`; a part carries its package's name: `core of package-0`.
    private static func domain(name: String, role: Role, parent: String?) -> String {
        guard let parent else { return name }
        if role == .memory, name == "dram", parent.hasPrefix("package-") { return "dram-" + parent.dropFirst(8) }
        return role == .part ? "\(name) of \(parent)" : name
    }

    /// `intel-rapl:0:2` lies in `intel-rapl:0`, which lies in nothing.
    private static func parent(of directory: String) -> String? {
        let parts = directory.split(separator: ":")
        return parts.count > 2 ? parts.dropLast().joined(separator: ":") : nil
    }

    /// All zones, whether the tree shows them side by side (as sysfs does, through links) or one inside the other.
    /// The processor's own interface comes before its copies (`intel-rapl-mmio`, `intel-rapl-tpmi`).
    private static func zonePaths(_ base: String) -> [(name: String, path: String)] {
        var found: [String: String] = [:]
        func collect(_ directory: String, depth: Int) {
            for name in (try? SystemFile.names(in: directory)) ?? [] where name.hasPrefix("intel-rapl") {
                let path = directory + "/" + name
                if name.contains(":"), found[name] == nil { found[name] = path }
                if depth < 3, found.count < 1024 { collect(path, depth: depth + 1) }
            }
        }
        collect(base, depth: 0)
        func order(_ name: String) -> (Int, [Int], String) {
            let parts = name.split(separator: ":")
            return (parts.first == "intel-rapl" ? 0 : 1, parts.dropFirst().map { Int($0) ?? .max }, name)
        }
        return found.sorted { first, second in
            let (a, b) = (order(first.key), order(second.key))
            if a.0 != b.0 { return a.0 < b.0 }
            if a.1 != b.1 { return a.1.lexicographicallyPrecedes(b.1) }
            return a.2 < b.2
        }.map { (name: $0.key, path: $0.value) }
    }
}
