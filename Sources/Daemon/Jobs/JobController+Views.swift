import JobAPI
import Ledger
import Policy
import Scheduling
import Units

// What clients are shown. The ledger holds the facts; the scheduler adds why a job waits.
extension JobController {
    /// Everyone who may ask sees that others' jobs are there and what they hold, since that is what their own wait for;
    /// what others run, draw and report is theirs.
    func list(states: Set<JobState>?, user: String?, limit: Int, for peer: Peer) async throws -> JobList {
        let now = Timestamp.now()
        let seesAll = isAdmin(peer)
        let stored = try await ledger.jobs(JobFilter(states: states, user: user, limit: min(max(limit, 1), 10_000)))
        return JobList(
            jobs: stored.map { stored in
                let record = view(stored.record, now: now)
                return seesAll || record.uid == peer.uid ? record : outline(record)
            })
    }

    /// What reports bill where nobody asks for another basis.
    var billingBasis: BillingBasis { policy.billing.basis.value }

    func record(_ id: JobID) async throws -> JobRecord {
        guard let stored = try await ledger.job(id) else {
            throw APIError(.notFound, "there is no job \(id)", hint: "mlctl list shows the jobs there are")
        }
        return view(stored.record, now: .now())
    }

    /// As strangers see it.
    private func outline(_ record: JobRecord) -> JobRecord {
        var record = record
        record.name = "-"
        record.reason = record.state.rawValue
        record.energy = EnergyFigures()
        record.progress = nil
        record.exitStatus = nil
        record.signal = nil
        return record
    }

    func detail(_ id: JobID, for peer: Peer) async throws -> JobDetail {
        await meter.flush()
        guard let stored = try await ledger.job(id) else {
            throw APIError(.notFound, "there is no job \(id)", hint: "mlctl list shows the jobs there are")
        }
        try authorise(peer, on: stored.record, to: "look into")
        return JobDetail(
            job: view(stored.record, now: .now()), spec: stored.spec, transitions: try await ledger.transitions(of: id),
            enforced: try await ledger.enforced(of: id), artifacts: try await ledger.artifacts(of: id),
            metrics: try await ledger.metrics(of: id))
    }

    func explain(_ id: JobID, for peer: Peer) async throws -> Explanation {
        guard let stored = try await ledger.job(id) else {
            throw APIError(.notFound, "there is no job \(id)", hint: "mlctl list shows the jobs there are")
        }
        let job = stored.record
        try authorise(peer, on: job, to: "look into")
        if job.state == .queued, let reason = scheduler.reason(for: id, now: .now()) {
            return Explanation(
                id: id, state: job.state, reason: reason.text, rule: reason.rule?.description ?? stored.rule,
                hint: reason.hint)
        }
        let hint: String? =
            switch job.state {
            case .failed, .timedOut, .outOfMemory, .lost: "mlctl logs \(id) shows what it wrote"
            default: nil
            }
        return Explanation(id: id, state: job.state, reason: job.reason, rule: stored.rule, hint: hint)
    }

    private func view(_ record: JobRecord, now: Timestamp) -> JobRecord {
        var record = record
        if record.state == .queued, let reason = scheduler.reason(for: record.id, now: now) {
            record.reason = reason.text
        }
        if let progress = live[record.id]?.events?.progress { record.progress = progress }
        return record
    }

    /// What the machine has and who holds it.
    func devices() -> [DeviceReport.Device] {
        let used = scheduler.active.values.reduce(into: ResourceVector.zero) { $0 += $1.request }
        let usable = policy.usable(of: machine)
        var devices = [
            DeviceReport.Device(
                kind: "cpu", name: "\(machine.cpus) CPUs", capacity: "\(usable.cpus) for jobs", used: "\(used.cpus)"),
            DeviceReport.Device(
                kind: "memory", name: "\(machine.memory)", capacity: "\(usable.memory) for jobs",
                used: "\(used.memory)"),
        ]
        if machine.gpus > 0 {
            devices.append(
                DeviceReport.Device(
                    kind: "gpu", name: "\(machine.gpus) GPUs", capacity: "\(usable.gpus) for jobs",
                    used: "\(used.gpus)"))
        }
        return devices
    }

    func policyReport() -> PolicyReport { policy.report() }
}
