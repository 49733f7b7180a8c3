import ConfigFile
import Units

// What queues say about each other and about moving jobs.

extension PolicyLoader {
    func readMoving(_ section: ConfigReader, into queue: inout PolicySet.Queue) {
        readDefer(section, into: &queue.deferral)
        assign(section, "interruptible", section.boolean("interruptible"), &queue.interruptible)
        assign(section, "preempts", section.strings("preempts"), &queue.preempts)
        assign(section, "power-limit", powerLimit("power-limit", section), &queue.powerLimit)
        assign(section, "gpu-share", section.boolean("gpu-share"), &queue.gpuShare)
    }

    mutating func checkQueues() {
        for queue in set.queues {
            checkPreemption(queue)
            checkDeferral(queue)
            if case .fixed(let power) = queue.powerLimit.value {
                if let floor = set.machine.cpuPowerFloor.value, power < floor {
                    report(
                        queue.powerLimit.source,
                        "\"queue.\(queue.name).power-limit\" is \(power), below machine.power-limit-floor.cpu = \(floor)",
                        hint: "the floor (\(set.machine.cpuPowerFloor.place)) is the lowest limit that is set")
                }
                if let cap = set.machine.powerCap.value, power >= cap {
                    warn(
                        queue.powerLimit.source,
                        "\"queue.\(queue.name).power-limit\" is \(power), which machine.power-cap = \(cap) does anyway",
                        hint: "lower it, or remove it (\(set.machine.powerCap.place))")
                }
            }
            if queue.gpuShare.source != nil, queue.gpuShare.value, set.machine.gpuShare.value == .off {
                warn(
                    queue.gpuShare.source,
                    "\"queue.\(queue.name).gpu-share\" has no effect: machine.gpu-share is \"off\""
                        + " (\(set.machine.gpuShare.place))", hint: "set machine.gpu-share = \"memory\"")
            }
            let limits: [(String, Setting<Int?>)] = [
                ("max-cpus-per-user", set.limits.maxCpusPerUser),
                ("max-cpus-per-project", set.limits.maxCpusPerProject),
            ]
            for (key, limit) in limits {
                guard let most = limit.value, let asked = queue.maxCpusPerJob.value, asked > most else { continue }
                warn(
                    queue.maxCpusPerJob.source,
                    "\"queue.\(queue.name).max-cpus-per-job\" is \(asked), but limits.\(key) is \(most) (\(limit.place))",
                    hint: "no job can have more than the lower of them")
            }
        }
        if let cycle = preemptionCycle(), !cycle.isEmpty {
            report(
                cycle[0].preempts.source,
                "queues preempt each other in a circle: "
                    + (cycle + [cycle[0]]).map { "\"\($0.name)\"" }.joined(separator: " -> "),
                hint: "their jobs would push each other aside for ever; take one out of preempts")
        }
    }

    private mutating func checkPreemption(_ queue: PolicySet.Queue) {
        let key = "\"queue.\(queue.name).preempts\""
        let names = set.queues.map(\.name)
        for other in queue.preempts.value {
            guard let target = set.queue(other) else {
                report(
                    queue.preempts.source, "\(key) has \"\(printable(other))\", which does not exist",
                    hint: suggestion(other, among: names, what: "queues"))
                continue
            }
            if other == queue.name {
                report(
                    queue.preempts.source, "\(key) has the queue itself",
                    hint: "its own jobs wait for each other; remove it")
            } else if target.priority.value > queue.priority.value {
                report(
                    queue.preempts.source,
                    "\(key) has \"\(other)\", whose priority \(target.priority.value) (\(target.priority.place)) is higher"
                        + " than \(queue.priority.value) (\(queue.priority.place))",
                    hint: "a job that is preempted would come back first and push the other aside")
            } else if target.interruptible.value == false {
                report(
                    queue.preempts.source,
                    "\(key) has \"\(other)\", none of whose jobs may be stopped: interruptible = false"
                        + " (\(target.interruptible.place))", hint: "remove one of them")
            }
        }
        if !queue.preempts.value.isEmpty, queue.deferral.upTo.value > .zero {
            warn(
                queue.deferral.upTo.source,
                "queue \"\(queue.name)\" preempts others (\(queue.preempts.place)), but its jobs may be deferred",
                hint: "jobs that can wait need nobody pushed aside; remove one of the two")
        }
    }

    /// Queues that preempt each other in a circle, each named once. One that names itself is told of by itself.
    private func preemptionCycle() -> [PolicySet.Queue]? {
        var targets: [String: [String]] = [:]
        var sources: [String: [String]] = [:]
        for queue in set.queues {
            targets[queue.name] = queue.preempts.value.filter { $0 != queue.name }
            for other in targets[queue.name] ?? [] { sources[other, default: []].append(queue.name) }
        }
        // What preempts nobody that is left is in no circle; take such away until none is left, or only circles and what leads
        // to them.
        var open = targets.mapValues { $0.filter { targets[$0] != nil }.count }
        var free = open.filter { $0.value == 0 }.map(\.key)
        while let name = free.popLast() {
            open[name] = nil
            for source in sources[name] ?? [] {
                guard let count = open[source] else { continue }
                open[source] = count - 1
                if count == 1 { free.append(source) }
            }
        }
        guard var name = set.queues.first(where: { open[$0.name] != nil })?.name else { return nil }
        var path: [String] = []
        var positions: [String: Int] = [:]
        while positions[name] == nil {
            positions[name] = path.count
            path.append(name)
            guard let next = targets[name]?.first(where: { open[$0] != nil }) else { return nil }
            name = next
        }
        return path[(positions[name] ?? 0)...].compactMap { set.queue($0) }
    }

    private mutating func checkDeferral(_ queue: PolicySet.Queue) {
        let deferral = queue.deferral
        let key = "queue.\(queue.name).defer"
        if deferral.upTo.value > .zero {
            let name = "\"\(key)\""
            switch deferral.minimise.value {
            case .carbon: warnIfConstant(deferral.upTo, name)
            case .cost where !(set.carbon.price.value?.isSeries ?? false):
                warn(
                    deferral.upTo.source ?? deferral.minimise.source,
                    "\(name) looks for the lowest price, but carbon.price does not change",
                    hint: "set carbon.price to a file with prices over time")
            case .cost: break
            }
        } else if let source = deferral.minimise.source {
            warn(source, "\"\(key).minimise\" has no effect without up-to", hint: "add up-to = \"24 h\"")
        }
        guard let above = deferral.suspendAbove.value else {
            if deferral.resumeBelow.value != nil {
                report(
                    deferral.resumeBelow.source, "\"\(key).resume-below\" needs suspend-above",
                    hint: "for example suspend-above = \"400 g/kWh\"")
            }
            return
        }
        warnIfConstant(above, deferral.suspendAbove.source, "\"\(key).suspend-above\"")
        if let below = deferral.resumeBelow.value, below.isAbove(above) ?? true {
            report(
                deferral.resumeBelow.source,
                "\"\(key).resume-below\" is \(below), which is not below suspend-above = \(above)"
                    + " (\(deferral.suspendAbove.place))", hint: "write both in one unit, the lower one here")
        }
        if queue.interruptible.value == false {
            report(
                deferral.suspendAbove.source,
                "\"\(key).suspend-above\" contradicts interruptible = false (\(queue.interruptible.place))",
                hint: "remove one of them")
        }
        if case .price(let price) = above, let currency = set.carbon.price.value?.currency, currency != price.currency {
            report(
                deferral.suspendAbove.source,
                "\"\(key).suspend-above\" is in \(price.currency), but carbon.price is in \(currency)",
                hint: "write it in \(currency)/kWh (\(set.carbon.price.place))")
        }
    }

    private mutating func warnIfConstant(_ upTo: Setting<Duration>, _ name: String) {
        if set.carbon.source.value.isSeries { return }
        warn(
            upTo.source, "\(name) looks for the lowest intensity, but carbon.source = \"table\" never changes",
            hint: "set carbon.source to a file or a service")
    }
}
