package import LinuxSystem

/// RAPL energy counters through the kernel's performance events, where powercap does not show them or not to us.
package struct PerfReader: MeterReader {
    private var domains: RAPLDomains<PerfCounter>

    /// The kernel's events and powercap's names for what they count. `energy-cores` and `energy-gpu` lie in the package.
    private static let names = [
        ("energy-pkg", "package"), ("energy-ram", "dram"), ("energy-psys", "psys"), ("energy-cores", "core"),
        ("energy-gpu", "uncore"),
    ]

    /// Nil where the kernel has no such events, or a better meter covers all they tell.
    /// - Parameter covered: kinds that a better meter already covers: the same counters by another way.
    package init?(roots: SystemRoots, leavingOut covered: Set<DomainKind> = []) {
        self.init(roots: roots, leavingOut: covered, events: PerfEvents(roots: roots))
    }

    init?(roots: SystemRoots, leavingOut covered: Set<DomainKind> = [], events: PerfEvents) {
        // A counted platform holds all of them.
        if covered.contains(.platform) || covered.isSuperset(of: [.cpu, .memory]) { return nil }
        let found = RAPLSelection(of: Self.candidates(roots, covered, events))
        if found.isEmpty { return nil }
        domains = RAPLDomains(found)
    }

    package var descriptions: [MeterDescription] { domains.descriptions }

    package mutating func begin() { domains.begin() }

    package mutating func sample(_ tick: MeterTick) -> [DomainSample] { domains.sample(tick) }

    private static func candidates(
        _ roots: SystemRoots, _ covered: Set<DomainKind>, _ events: PerfEvents
    ) -> [RAPLSelection<PerfCounter>.Candidate] {
        let device: PerfDevice
        do {
            guard let found = try PerfDevice(roots: roots) else { return [] }
            device = found
        } catch {
            return covered.contains(.cpu) ? [] : [refused("package", nil, "\(error)")]
        }
        var result: [RAPLSelection<PerfCounter>.Candidate] = []
        for (event, name) in names {
            let role = RAPLRole(name: name)
            // Powercap has said what there is to say of the platform beside its packages.
            if covered.contains(role.kind) || role == .platform && covered.contains(.cpu) { continue }
            do {
                guard let event = try device.event(event) else { continue }
                result += device.packages.map { candidate(event, name, role, $0, device, events) }
            } catch {
                result.append(refused(name, nil, "\(error)"))
            }
        }
        let cores = roots.sysfs + "/bus/event_source/devices/power_core"
        if !covered.contains(.cpu), (try? SystemFile.word(cores + "/type")) != nil {
            result.append(refused("core", "each package", ""))
        }
        return result
    }

    private static func candidate(
        _ event: PerfDevice.Event, _ name: String, _ role: RAPLRole, _ package: PerfDevice.Package,
        _ device: PerfDevice, _ events: PerfEvents
    ) -> RAPLSelection<PerfCounter>.Candidate {
        let request = PerfEvents.Request(
            name: event.name, type: device.type, config: event.config, cpu: package.cpu)
        return .init(
            name: role == .package ? package.name : name,
            parent: role == .memory || role == .part ? package.name : nil,
            source: "RAPL counter \(event.name) (CPU \(package.cpu)) through perf",
            open: {
                func counter(_ count: PerfEvents.Count?) -> PerfCounter {
                    PerfCounter(request, count: count, scale: event.scale, bound: role.bound, events: events)
                }
                do throws(LinuxError) {
                    let count = try events.open(request)
                    return events.moves(count)
                        ? .ready(counter(count)) : .unreadable(counter(count), PerfCounter.standsStill)
                } catch {
                    return .unreadable(counter(nil), PerfCounter.refusal(error))
                }
            })
    }

    /// One that is there but not to be used.
    private static func refused(
        _ name: String, _ parent: String?, _ reason: String
    ) -> RAPLSelection<PerfCounter>.Candidate {
        .init(
            name: name, parent: parent, source: "RAPL counters through perf",
            open: { .refused(RAPLRefusal("cannot be read: \(reason)")) })
    }
}
