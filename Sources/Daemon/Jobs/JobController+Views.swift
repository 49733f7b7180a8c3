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
        let seesAll = may(.seeOthers, peer)
        let records = try await ledger.jobs(JobFilter(states: states, user: user, limit: min(max(limit, 1), 10_000)))
        return JobList(
            jobs: views(records, now: now).map { seesAll || $0.uid == peer.uid ? $0 : outline($0) })
    }

    /// What reports bill where nobody asks for another basis.
    var billingBasis: BillingBasis { policy.billing.basis.value }

    func record(_ id: JobID) async throws -> JobRecord { view(try await stored(id).record, now: .now()) }

    /// The job as it is on disk.
    func stored(_ id: JobID) async throws -> StoredJob {
        if let stored = try await ledger.job(id) { return stored }
        throw APIError(.notFound, "there is no job \(id)", hint: "mlctl list shows the jobs there are")
    }

    /// The job that people call so.
    /// - Throws: ``APIError`` `.isArray` where it is a whole array, `.notFound` where there is none.
    func resolve(_ reference: JobReference) async throws -> JobID {
        if let index = reference.index {
            if let id = try await ledger.element(ArrayPlace(id: reference.id, index: index)) { return id }
            throw APIError(.notFound, "there is no job \(reference)", hint: "mlctl list shows the jobs there are")
        }
        // Asked only where there is no such job: it costs the usual case nothing.
        guard try await ledger.job(reference.id) == nil else { return reference.id }
        let count = try await ledger.elementCounts(of: reference.id).values.reduce(0, +)
        if count > 0 {
            throw APIError(
                .isArray, "\(reference) is an array of \(counted(count, "job"))",
                hint: "name one of them, such as \(reference).1, or ask for the array")
        }
        return reference.id
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
        let stored = try await stored(id)
        try authorise(peer, on: stored.record, to: "look into")
        return JobDetail(
            job: view(stored.record, now: .now()), spec: stored.spec, transitions: try await ledger.transitions(of: id),
            enforced: try await ledger.enforced(of: id), artifacts: try await ledger.artifacts(of: id),
            metrics: try await ledger.metrics(of: id), placement: stored.placement,
            savings: try await ledger.savings(of: id))
    }

    func explain(_ id: JobID, for peer: Peer) async throws -> Explanation {
        let stored = try await stored(id)
        let job = stored.record
        try authorise(peer, on: job, to: "look into")
        if job.state.isActive, let reason = live[id]?.endingReason {
            return Explanation(
                id: id, state: job.state, reason: reason, hint: "its processes have 10 s to end, then they are killed")
        }
        let isPlanned = job.state == .queued || job.state == .suspended && stored.holder == .rule
        let now = Timestamp.now()
        if isPlanned || stored.holder == .plan, let reason = scheduler.reason(for: id, now: now) {
            let note = whyNotDeferred(stored.leeway, likes: stored.keys.work, timeLimit: stored.timeLimit)
            // What a person holds no rule does.
            let rule = stored.holder == .owner || stored.holder == .admin ? nil : stored.rule
            let start = scheduler.expectedStart(for: id, now: now)
            return Explanation(
                id: id, state: job.state, reason: reason.text + (note.map { "; \($0)" } ?? ""),
                rule: reason.rule?.description ?? rule, hint: hint(reason, stored), expectedStart: start?.at,
                ahead: start?.ahead)
        }
        let hint: String? =
            switch job.state {
            case .failed, .timedOut, .outOfMemory, .lost: "mlctl logs \(id) shows what it wrote"
            default: nil
            }
        return Explanation(id: id, state: job.state, reason: job.reason, rule: stored.rule, hint: hint)
    }

    func view(_ record: JobRecord, now: Timestamp) -> JobRecord { views([record], now: now).first ?? record }

    func views(_ records: [JobRecord], now: Timestamp) -> [JobRecord] {
        let waiting = records.lazy.filter { $0.state == .queued || $0.state == .suspended }.map(\.id)
        let reasons = scheduler.reasons(for: waiting, now: now)
        return records.map { record in
            var record = record
            if let reason = reasons[record.id] { record.reason = reason.text }
            if record.state.isActive, let reason = live[record.id]?.endingReason { record.reason = reason }
            if let progress = live[record.id]?.events?.progress { record.progress = progress }
            return record
        }
    }

    /// What the machine has and who holds it.
    func devices() async -> [DeviceReport.Device] {
        let seen = layout.gpus.isEmpty ? [:] : await meter.occupancies()
        // Less than all that active jobs asked for: those that the plan lets stand still have no CPUs.
        let used = scheduler.capacity - scheduler.free
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
                    used: "\(scheduler.cards.used)"))
        }
        return devices + holders(seen) + reserved(now: .now())
    }

    /// What is reserved next, and for when.
    private func reserved(now: Timestamp) -> [DeviceReport.Device] {
        policy.reservations.compactMap { reservation in
            guard let window = reservation.nextInterval(from: now) else { return nil }
            return DeviceReport.Device(
                kind: "reservation", name: reservation.name, capacity: reservation.keptWords,
                used: Self.words(window, now: now))
        }
    }

    private static func words(_ window: Range<Timestamp>, now: Timestamp) -> String {
        let end = window.upperBound.microseconds == .max ? "" : " until \(window.upperBound)"
        return (window.lowerBound <= now ? "now" : "from \(window.lowerBound)") + end
    }

    /// With the next window of each reservation.
    func policyReport() -> PolicyReport {
        var report = policy.report()
        let now = Timestamp.now()
        for reservation in policy.reservations {
            let window = reservation.nextInterval(from: now).map { Self.words($0, now: now) }
            report.settings.append(
                PolicyReport.Line(
                    key: "reservation.\(reservation.name) (next)", value: window ?? "over",
                    source: reservation.source.place))
        }
        return report
    }
}
