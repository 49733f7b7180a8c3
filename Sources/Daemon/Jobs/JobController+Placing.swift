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

    /// Nil where as much is not free, or not known to be.
    func choosePlacement(for request: ResourceVector) -> Placement? {
        if request.gpus > 0 {
            // A card may be held by a job of which it is not known: none is given twice.
            let isUnknown = scheduler.active.contains { $0.value.request.gpus > 0 && placements[$0.key] == nil }
            if isUnknown { return nil }
        }
        return layout.choose(request, taken: inUse(but: nil), reserve: policy.machine.reserveCpus.value)
    }

    /// What other jobs hold. The CPUs of those that stand still by the policy are lent to others.
    private func inUse(but own: JobID?) -> [Placement] {
        placements.filter { $0.key != own }.map { id, placement in
            guard scheduler.active[id]?.standsStill == true else { return placement }
            return Placement(cpus: [], gpus: placement.gpus)
        }
    }

    /// A job goes on that had lent its CPUs: they are its own again, or others where those are another's now.
    func takeBackCPUs(_ id: JobID) async {
        if let job = live[id] { await meter.reserve(id, cpus: job.spec.resources.cpus) }
        guard lentCPUsAreTaken(id), let new = otherCPUs(for: id) else { return }
        placements[id] = new
        keep(id, on: new.cpus)
        do {
            try await ledger.move(id, to: new)
        } catch {
            logger.error("runs on other CPUs than the ledger says: \(error)", metadata: ["job": "\(id)"])
        }
    }

    /// Whether a job that lent its CPUs can have neither them nor others.
    func lacksCPUs(_ id: JobID) -> Bool { lentCPUsAreTaken(id) && otherCPUs(for: id) == nil }

    private func lentCPUsAreTaken(_ id: JobID) -> Bool {
        guard let own = placements[id] else { return false }
        return !Set(inUse(but: id).flatMap(\.cpus)).isDisjoint(with: own.cpus)
    }

    private func otherCPUs(for id: JobID) -> Placement? {
        guard let old = placements[id], let request = scheduler.active[id]?.request else { return nil }
        let cpus = ResourceVector(cpus: request.cpus, memory: .zero)
        var new = layout.choose(cpus, taken: inUse(but: id), reserve: policy.machine.reserveCpus.value)
        new?.gpus = old.gpus
        return new
    }

    /// The count says that there are enough, but not which: asked again in a minute.
    func waitForGPUs(_ job: PendingJob) {
        var job = job
        job.notBefore = .now().advanced(by: .seconds(60))
        job.note = "a job that runs holds a GPU, and it is not known which: waits for its end"
        scheduler.add(job)
        requestPlan()
    }

    /// Cards by their names, not numbers: another daemon may have found them in another order.
    func grantedGPUs(_ id: JobID) -> [MachineLayout.GPU] {
        let granted = Set(placements[id]?.gpus.map(\.id) ?? [])
        return layout.gpus.filter { granted.contains($0.id) }
    }

    func gpuDomains(_ id: JobID) -> Set<String> { Set(placements[id]?.gpus.map(\.id) ?? []) }

    func gpuVariables(_ id: JobID) -> [String: String] {
        GPUGrant.variables(grantedGPUs(id), of: layout)
    }

    /// Who holds which CPUs and GPUs: a line for each card and for each node.
    func holders() -> [DeviceReport.Device] {
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
                DeviceReport.Device(
                    kind: "gpu", name: "gpu \(gpu.index): \(gpu.name)",
                    capacity: gpu.node.map { "node \($0)" } ?? "1",
                    used: jobs { $0.gpus.contains { $0.id == gpu.id } ? "" : nil })
            }
    }
}
