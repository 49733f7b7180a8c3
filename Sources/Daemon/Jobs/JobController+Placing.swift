import JobAPI
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

    /// A job goes on that had lent its CPUs: where they are another's now, it gets others.
    /// - Returns: its CPUs, where they changed.
    func placeAgain(_ id: JobID) -> Placement? {
        guard let old = placements[id], let request = scheduler.active[id]?.request else { return nil }
        let others = inUse(but: id)
        guard !Set(others.flatMap(\.cpus)).isDisjoint(with: old.cpus) else { return nil }
        let cpus = ResourceVector(cpus: request.cpus, memory: .zero)
        guard var new = layout.choose(cpus, taken: others, reserve: policy.machine.reserveCpus.value) else {
            return nil
        }
        new.gpus = old.gpus
        placements[id] = new
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
