import JobAPI
import Ledger
import Logging
import Policy
import Scheduling
import Units

// Which CPUs and GPUs a job gets. The scheduler counts, the placements say which: both change here alone.
extension JobController {
    /// The job holds resources from now on.
    /// - Parameter placement: nil where it is not known, or none could be chosen. It is counted all the same.
    func allot(_ job: ActiveJob, _ placement: Placement?) {
        var job = job
        if let placement, job.request.gpus > 0 {
            let held = Set(placement.gpus.map(\.id))
            // Cards by their names, not numbers: another daemon may have found them in another order.
            job.cards = layout.gpus.indices.filter { held.contains(layout.gpus[$0].id) }
        }
        scheduler.started(job)
        placements[job.id] = placement
    }

    /// The job holds nothing any more. An unknown id changes nothing.
    @discardableResult
    func letGo(_ id: JobID) -> ActiveJob? {
        placements[id] = nil
        caps[id] = nil
        forgetCap(id)
        return scheduler.ended(id)
    }

    /// Nil where as much is not free, or not known to be. Where CPUs alone are not, it has none of its own.
    /// - Parameter cards: those that the plan gave it.
    func choosePlacement(for request: ResourceVector, on cards: [Int]? = nil) -> Placement? {
        guard let cards = cards ?? scheduler.chooseCards(for: request), cards.count == request.gpus else { return nil }
        let gpus = cards.filter(layout.gpus.indices.contains).map { layout.gpus[$0] }
        let reserve = policy.machine.reserveCpus.value
        return layout.choose(cpus: request.cpus, beside: gpus, taken: inUse(but: nil), reserve: reserve)
            ?? (gpus.isEmpty ? nil : layout.choose(cpus: 0, beside: gpus, taken: []))
    }

    private static let cardsPause = Duration.seconds(10)

    /// Who else is on the GPUs, for jobs that wait for one.
    func lookAtCards() async {
        guard !layout.gpus.isEmpty, scheduler.awaitingCards > 0 else { return }
        let seen = await meter.occupancies()
        var occupancies: [Int: CardOccupancy] = [:]
        for (place, gpu) in layout.gpus.enumerated() { occupancies[place] = seen[gpu.id] }
        scheduler.adopt(occupancies: occupancies)
        scheduler.adopt(freeCPUs: layout.freeCPUs(taken: inUse(but: nil)))
        // When others leave nobody tells.
        if occupancies.values.contains(where: { $0 != .none }) {
            wakeUp(at: Timestamp.now().advanced(by: Self.cardsPause))
        }
    }

    /// What other jobs hold. The CPUs of those that stand still by the policy are lent to others.
    private func inUse(but own: JobID?) -> [Placement] {
        placements.filter { $0.key != own }.map { id, placement in
            guard scheduler.active[id]?.standsStill == true else { return placement }
            return Placement(cpus: [], gpus: placement.gpus)
        }
    }

    /// What a job that stands still takes in going on.
    struct CPUClaim {
        fileprivate var before: Placement?
        fileprivate var after: Placement?
        fileprivate var wasLent: Bool
    }

    /// A job is about to go on that may have lent its CPUs: they are its own again, or others where those are another's now. At once,
    /// so that nobody else is given them while the ledger is written.
    ///
    /// Follow it with ``use(_:by:)``, or with ``giveBack(_:by:)`` where it does not go on.
    func claimCPUs(_ id: JobID) -> CPUClaim {
        let wasLent = scheduler.active[id]?.shift?.isSuspended == true
        if wasLent { scheduler.resumed(id, at: .now()) }
        let before = placements[id]
        if lentCPUsAreTaken(id) {
            if let new = otherCPUs(for: id) {
                placements[id] = new
            } else {
                logger.error("goes on upon CPUs that others have too: no others are free", metadata: ["job": "\(id)"])
            }
        }
        return CPUClaim(before: before, after: placements[id], wasLent: wasLent)
    }

    /// It goes on, as the ledger says by now.
    func use(_ claim: CPUClaim, by id: JobID) async {
        if let job = live[id] { await meter.reserve(id, cpus: job.spec.resources.cpus) }
        guard let new = claim.after, new != claim.before else { return }
        keep(id, on: new.cpus)
        do {
            try await ledger.move(id, to: new)
        } catch {
            logger.error("runs on other CPUs than the ledger says: \(error)", metadata: ["job": "\(id)"])
        }
    }

    /// Of jobs that run on one CPU the later ones get others: a daemon that died between letting one go on and writing down where
    /// left it upon CPUs that it had lent.
    func setApart() async {
        for id in placements.keys.sorted().reversed() where live[id]?.state == .running {
            guard scheduler.active[id]?.standsStill == false, lentCPUsAreTaken(id) else { continue }
            await use(claimCPUs(id), by: id)
        }
    }

    /// It does not go on after all.
    func giveBack(_ claim: CPUClaim, by id: JobID) {
        // It may have ended meanwhile.
        guard placements[id] == claim.after, scheduler.active[id] != nil else { return }
        placements[id] = claim.before
        if claim.wasLent { scheduler.suspended(id, at: .now()) }
    }

    /// Whether a job that lent its CPUs can have neither them nor others.
    func lacksCPUs(_ id: JobID) -> Bool { lentCPUsAreTaken(id) && otherCPUs(for: id) == nil }

    private func lentCPUsAreTaken(_ id: JobID) -> Bool {
        guard let own = placements[id] else { return false }
        return !Set(inUse(but: id).flatMap(\.cpus)).isDisjoint(with: own.cpus)
    }

    private func otherCPUs(for id: JobID) -> Placement? {
        guard let old = placements[id], let request = scheduler.active[id]?.request else { return nil }
        let reserve = policy.machine.reserveCpus.value
        var new = layout.choose(cpus: request.cpus, taken: inUse(but: id), reserve: reserve)
        new?.gpus = old.gpus
        return new
    }

    /// Cards by their names, not numbers: another daemon may have found them in another order.
    func grantedGPUs(_ id: JobID) -> [MachineLayout.GPU] {
        let granted = Set(placements[id]?.gpus.map(\.id) ?? [])
        return layout.gpus.filter { granted.contains($0.id) }
    }

    /// What the energy of its cards is shared by.
    func gpuHold(_ id: JobID) -> EnergyMeter.GPUHold {
        guard let request = scheduler.active[id]?.request, request.gpus > 0 else { return EnergyMeter.GPUHold() }
        let memory = request.card.mebibytes > 0 ? request.card.memory : nil
        var hold = EnergyMeter.GPUHold(declared: memory?.bytes)
        for gpu in grantedGPUs(id) {
            if request.card.isShared, let memory, let total = gpu.memory, total > .zero {
                hold.parts[gpu.id] = Double(memory.bytes) / Double(total.bytes)
            } else {
                hold.alone.insert(gpu.id)
            }
        }
        return hold
    }

    func gpuVariables(_ id: JobID) -> [String: String] {
        GPUGrant.variables(grantedGPUs(id), of: layout)
    }

    /// Who holds which CPUs and GPUs: a line for each card and for each node.
    /// - Parameter seen: what else is on the cards, by domain.
    func holders(_ seen: [String: CardOccupancy]) -> [DeviceReport.Device] {
        let held = placements.sorted { $0.key < $1.key }
        func jobs(_ what: (Placement) -> String?) -> String {
            let words = held.compactMap { id, placement in what(placement).map { "job \(id)" + $0 } }
            return words.isEmpty ? "-" : words.joined(separator: ", ")
        }
        let nodes = Dictionary(grouping: layout.cpus, by: \.node).sorted { $0.key < $1.key }
        return nodes.map { node, cpus in
            let numbers = Set(cpus.map(\.number))
            return DeviceReport.Device(
                kind: "cpu", name: "CPUs " + numberList(cpus.map(\.number)), capacity: "node \(node)",
                used: jobs { placement in
                    let shared = placement.cpus.filter(numbers.contains)
                    return shared.isEmpty ? nil : " on " + numberList(shared)
                })
        }
            + layout.gpus.map { gpu in
                let holders = held.filter { $0.value.gpus.contains { $0.id == gpu.id } }.map { id, _ in
                    let need = scheduler.active[id]?.request.card ?? .whole
                    return "job \(id)" + (need.mebibytes > 0 ? " (\(need.memory))" : "")
                }
                let others = seen[gpu.id]?.words.map { [$0] } ?? []
                let capacity = [gpu.memory?.description, gpu.node.map { "node \($0)" }].compactMap(\.self)
                return DeviceReport.Device(
                    kind: "gpu", name: "gpu \(gpu.index): \(gpu.name)",
                    capacity: capacity.isEmpty ? "1" : capacity.joined(separator: ", "),
                    used: holders.isEmpty && others.isEmpty ? "-" : (holders + others).joined(separator: ", "))
            }
    }
}
