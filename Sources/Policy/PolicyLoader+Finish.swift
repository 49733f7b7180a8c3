import ConfigFile
import Units

// Checks that need all the files.

extension PolicyLoader {
    /// The merged set; problems between its parts go to the collector, warnings into the set.
    mutating func finish() -> PolicySet {
        if set.queues.isEmpty {
            set.queues = PolicySet.builtIn.queues
        } else if set.defaultQueue == nil {
            report(
                set.queues[0].source, "no queue has default = true, so a job that names none has nowhere to go",
                hint: "add default = true to one of "
                    + set.queues.map { "[queue.\($0.name)]" }.joined(separator: ", ")
                    + "; the built-in queues are gone once a file defines one")
        }
        checkSandboxes()
        checkMachine()
        checkZone()
        checkCarbon()
        checkQueues()
        checkReservations()
        checkBudgets()
        checkRules()
        set.warnings = warnings
        return set
    }

    private func checkSandboxes() {
        let names = set.sandboxes.map(\.name)
        for queue in set.queues where !names.contains(queue.sandbox.value) {
            report(
                queue.sandbox.source, "there is no [sandbox.\(queue.sandbox.value)]",
                hint: suggestion(queue.sandbox.value, among: names, what: "profiles"))
        }
        let used = Set(set.queues.map(\.sandbox.value))
        for profile in set.sandboxes where profile.source != nil && !used.contains(profile.name) {
            report(
                profile.source, "no queue uses [sandbox.\(profile.name)], so it has no effect",
                hint: "add sandbox = \"\(profile.name)\" to a queue, or remove it")
        }
        // Here and not where they are read: one file may set the one, another the other.
        for profile in set.sandboxes {
            for name in profile.allowSyscalls.value where profile.refuseSyscalls.value.contains(name) {
                report(
                    profile.allowSyscalls.source,
                    "\"sandbox.\(profile.name).allow-syscalls\" has \"\(name)\", which refuse-syscalls has too"
                        + " (\(profile.refuseSyscalls.place))", hint: "keep it in one of them")
            }
        }
    }

    private func checkMachine() {
        guard let cap = set.machine.powerCap.value else { return }
        func below(_ key: String, _ place: String, _ value: String) {
            report(
                set.machine.powerCap.source, "\"machine.power-cap\" is \(cap), not above machine.\(key) = \(value)",
                hint: "raise the cap, or lower the other (\(place)); no job could run")
        }
        if case .stated(let idle) = set.machine.idlePower.value, cap <= idle {
            below("idle-power", set.machine.idlePower.place, "\(idle)")
        }
        for (kind, floor) in [("cpu", set.machine.cpuPowerFloor), ("gpu", set.machine.gpuPowerFloor)] {
            if let least = floor.value, cap <= least { below("power-limit-floor.\(kind)", floor.place, "\(least)") }
        }
    }

    private func checkZone() {
        guard let zones, let zone = set.site.zone.value else { return }
        let found = zones(zone)
        guard found.code == nil else { return }
        report(
            set.site.zone.source, "\"site.zone\" is \"\(zone)\", and there is no carbon intensity for it",
            hint: found.hint ?? "use the code of a country, such as \"DE\"")
    }

    private mutating func checkCarbon() {
        if set.carbon.refresh.value > set.carbon.staleAfter.value {
            let reference = set.carbon.refresh.source ?? set.carbon.staleAfter.source
            report(
                reference,
                "carbon.refresh is \(set.carbon.refresh.value.brief), longer than carbon.stale-after"
                    + " (\(set.carbon.staleAfter.value.brief)), so figures would be stale before they are read again",
                hint: "make stale-after a few times refresh")
        }
        if case .service(let service) = set.carbon.source.value, !broken.contains("carbon.source") { check(service) }
        let share = set.fairShare
        let others =
            [share.halfLife.source, share.by.source, share.accounts.source] + share.weights.map(\.weight.source)
        if !share.isOn, share.strength.source == nil, let first = others.compactMap({ $0 }).first {
            warn(
                first, "[fair-share] has no effect: its strength is 0 (\(share.strength.place))",
                hint: "add strength = 100, or remove the section")
        }
    }

    private mutating func check(_ service: IntensityService) {
        let source = set.carbon.source.source
        let zone = service.zone ?? set.site.zone.value
        switch service.format {
        case .electricityMaps:
            if zone == nil {
                report(
                    source, "carbon.source asks a service that needs a zone, but there is none",
                    hint: "set zone = \"DE\" in it, or site.zone")
            }
        case .ukCarbonIntensity:
            if service.zone == nil, let zone, !["GB", "GBR", "UK"].contains(zone) {
                warn(
                    source, "carbon.source is the intensity of Great Britain, but site.zone is \"\(zone)\"",
                    hint: "use a source of your zone, or mend site.zone (\(set.site.zone.place))")
            }
        }
        let query = service.url.drop { $0 != "?" }.lowercased()
        if ["token=", "key="].contains(where: { query.contains($0) }) {
            warn(
                source, "carbon.source seems to have a token in its url, which every user can read",
                hint: "put the token into a file of mld's own and name that as token-file")
        }
        if service.tokenFile != nil, service.url.hasPrefix("http://"), !service.isLocal {
            warn(
                source, "carbon.source sends its token unencrypted to \(service.url)",
                hint: "use a proxy on this machine that encrypts")
        }
    }

    // MARK: - Reporting

    func report(_ reference: RuleReference?, _ message: String, hint: String) {
        collector.add(problem(reference, message, hint))
    }

    /// Something that can be taken, but will not do what it seems to.
    mutating func warn(_ reference: RuleReference?, _ message: String, hint: String) {
        warnings.append(problem(reference, message, hint))
    }

    private func problem(_ reference: RuleReference?, _ message: String, _ hint: String) -> ConfigProblem {
        ConfigProblem(file: reference?.file ?? "", line: reference?.line ?? 0, message: message, hint: hint)
    }
}

extension IntensityService {
    fileprivate var isLocal: Bool {
        ["http://localhost", "http://127.0.0.1", "http://[::1]"].contains { prefix in
            guard url.hasPrefix(prefix) else { return false }
            let rest = url.dropFirst(prefix.count)
            return rest.isEmpty || rest.hasPrefix("/") || rest.hasPrefix(":")
        }
    }
}

/// `a`, `a and b`, `a, b and c`.
func listed(_ words: [String]) -> String {
    words.count < 2 ? words.joined() : words.dropLast().joined(separator: ", ") + " and " + (words.last ?? "")
}

/// `did you mean "batch"? queues: interactive, batch`.
func suggestion(_ word: String, among names: [String], what: String) -> String {
    let list = "\(what): " + names.joined(separator: ", ")
    return nearMatch(word, among: names).map { "did you mean \"\($0)\"? \(list)" } ?? list
}
