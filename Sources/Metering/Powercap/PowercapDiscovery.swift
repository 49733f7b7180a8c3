import LinuxSystem

/// Lists the powercap zones of a tree.
struct PowercapDiscovery {
    var candidates: [RAPLSelection<PowercapZone>.Candidate] = []

    init(roots: SystemRoots) {
        let zones = Self.zonePaths(roots.sysfs + "/class/powercap")
        var names: [String: String] = [:]
        for zone in zones { names[zone.name] = try? SystemFile.word(zone.path + "/name") }
        for zone in zones {
            guard let name = names[zone.name] else { continue }
            candidates.append(
                .init(
                    name: name, parent: Self.parent(of: zone.name).flatMap { names[$0] },
                    source: "RAPL counter \(name) (\(zone.name)) through powercap",
                    open: { Self.open(zone.path, bound: RAPLRole(name: name).bound) }))
        }
    }

    private static func open(_ path: String, bound: Double) -> RAPLSelection<PowercapZone>.Opening {
        let zone = PowercapZone(path: path, kindBound: bound)
        do {
            _ = try zone.value()
            return .ready(zone)
        } catch {
            let hint = error.kind == .unreadable ? " (energy_uj is readable by root only)" : ""
            return .unreadable(zone, RAPLRefusal("cannot be read: \(error.message)\(hint)"))
        }
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
