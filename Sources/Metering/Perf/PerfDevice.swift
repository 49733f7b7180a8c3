import LinuxSystem

/// The processor's energy events as the kernel shows them under `bus/event_source/devices/power`.
struct PerfDevice {
    /// One event: what it is of and how its counts become energy.
    struct Event {
        /// The kernel's name: `energy-pkg`.
        var name: String
        var config: UInt64
        /// Joules a count.
        var scale: Double
    }

    /// One CPU by which a package's counters are read.
    struct Package: Hashable {
        var cpu: Int32
        /// As powercap names it: `package-0`, on processors of several counted dies `package-0-die-1`.
        var name: String
    }

    let path: String
    let type: UInt32
    let packages: [Package]

    /// Nil where the kernel has no such device.
    init?(roots: SystemRoots) throws(SystemFileError) {
        path = roots.sysfs + "/bus/event_source/devices/power"
        let number: UInt64
        do { number = try SystemFile.integer(path + "/type") } catch {
            if error.kind == .missing { return nil }
            throw error
        }
        let mask = path + "/cpumask"
        let text = try SystemFile.word(mask)
        // One CPU a package; no machine has more packages than this.
        guard let cpus = CPUTopology.list(text), Set(cpus).count == cpus.count, cpus.count <= 256 else {
            throw SystemFileError(.garbage, path: mask, message: "\"\(text.prefix(40))\" is no list of CPUs")
        }
        guard let type = UInt32(exactly: number) else {
            throw SystemFileError(.garbage, path: path + "/type", message: "\(number) is no type of event")
        }
        self.type = type
        packages = Self.packages(of: cpus, roots)
    }

    /// Nil for an event that this processor does not have.
    func event(_ name: String) throws(SystemFileError) -> Event? {
        let file = path + "/events/" + name
        let term: String
        do { term = try SystemFile.word(file) } catch {
            if error.kind == .missing { return nil }
            throw error
        }
        func garbage(_ suffix: String, _ text: String) -> SystemFileError {
            SystemFileError(.garbage, path: file + suffix, message: "\"\(text.prefix(40))\" is not understood")
        }
        let unit = try SystemFile.word(file + ".unit")
        guard unit == "Joules" else { throw garbage(".unit", unit) }
        let text = try SystemFile.word(file + ".scale")
        // The kernel's own is 2^-32 J for every processor.
        guard let scale = Double(text), (1e-12...1e-3).contains(scale) else { throw garbage(".scale", text) }
        guard term.hasPrefix("event=0x"), let config = UInt8(term.dropFirst("event=0x".count), radix: 16) else {
            throw garbage("", term)
        }
        return Event(name: name, config: UInt64(config), scale: scale)
    }

    /// The names of the packages the CPUs belong to; by their order where the kernel's numbers do not tell them apart.
    private static func packages(of cpus: [Int], _ roots: SystemRoots) -> [Package] {
        func number(_ cpu: Int, _ file: String) -> UInt64? {
            try? SystemFile.integer(roots.sysfs + "/devices/system/cpu/cpu\(cpu)/topology/\(file)")
        }
        let sockets = cpus.map { number($0, "physical_package_id") }
        var names = sockets.map { $0.map { "package-\($0)" } }
        if Set(names).count < cpus.count {
            names = zip(names, cpus).map { name, cpu in
                name.flatMap { name in number(cpu, "die_id").map { "\(name)-die-\($0)" } }
            }
        }
        let isClear = !names.contains(nil) && Set(names).count == cpus.count
        return cpus.indices.map { index in
            Package(cpu: Int32(cpus[index]), name: (isClear ? names[index] : nil) ?? "package-\(index)")
        }
    }
}
