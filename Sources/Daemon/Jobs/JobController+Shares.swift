import JobAPI
import Ledger
import Logging
import Policy
import Scheduling
import Units

// What accounts have used, for their fair shares: from the ledger at the start, from the meter as jobs go on.
extension JobController {
    /// What has been counted of an active job.
    struct Charged: Sendable {
        var amount = 0.0
        var at: Timestamp
    }

    /// Slices of the past that are counted as one; what is older than all of them has decayed to a two hundred and fiftieth.
    private static let slices = 32
    private static let slicesPerHalfLife = 4.0

    /// Counts what the ledger knows of the past. Where it cannot be read, everybody begins with nothing.
    func readShares() async {
        let share = policy.fairShare
        guard share.isOn else { return }
        let now = Timestamp.now()
        let length = share.halfLife.value.seconds / Self.slicesPerHalfLife
        do {
            for slice in (0..<Self.slices).reversed() {
                let until = now.advanced(by: .seconds(-length * Double(slice)))
                let since = until.advanced(by: .seconds(-length))
                let middle = since.advanced(by: .seconds(length / 2))
                for (account, amount) in try await usage(from: since, to: until, share) {
                    scheduler.charge(account, amount, at: middle)
                }
            }
        } catch {
            logger.error("cannot read what accounts have used; their shares begin anew: \(error)")
        }
    }

    private func usage(
        from since: Timestamp, to until: Timestamp, _ share: PolicySet.FairShare
    ) async throws -> [(String, Double)] {
        let grouping: ReportGrouping = share.accounts.value == .users ? .user : .project
        if share.by.value == .cpuTime {
            return try await ledger.reservedCPUSeconds(from: since, to: until, by: grouping).sorted { $0.key < $1.key }
        }
        let report = try await ledger.report(ReportQuery(since: since, until: until, by: grouping))
        return report.rows.map { row in
            (row.key, share.by.value == .energy ? row.figures.energyJ : row.figures.carbonG)
        }
    }

    /// Counts all anew under other rules of sharing: what has been metered until now the ledger tells.
    func recountShares() async {
        payAnew()
        await meter.flush()
        scheduler.forgetUse()
        shareCharged = [:]
        await readShares()
        // A plan may have been made meanwhile, with nobody's use.
        scheduler.useIsCounted()
        guard policy.fairShare.isOn else { return }
        for id in scheduler.active.keys.sorted() {
            let totals = await meter.totals(id)
            let amount = policy.fairShare.by.value == .carbon ? totals?.carbon.grams : totals?.energy.joules
            shareCharged[id] = Charged(amount: amount ?? 0, at: .now())
        }
    }

    /// Jobs that wait, and those that may wait again, are paid for by whom the policy says now.
    private func payAnew() {
        for (id, job) in live {
            live[id]?.pending.account = policy.account(user: job.user, project: job.pending.project)
        }
        // The scheduler knows users by number.
        var names: [UInt32: String] = [:]
        for uid in scheduler.waitingUsers { names[uid] = submitter(uid: uid, gid: uid).user }
        scheduler.payAnew { [policy] job in
            policy.account(user: names[job.uid] ?? "\(job.uid)", project: job.project)
        }
    }

    /// Counts what active jobs have used since the last time.
    func chargeShares() async {
        guard policy.fairShare.isOn else { return }
        for id in scheduler.active.keys.sorted() { chargeShare(id, await meter.totals(id)) }
    }

    func chargeShare(_ id: JobID, _ totals: EnergyMeter.JobTotals?) {
        let share = policy.fairShare
        guard share.isOn, let job = live[id] else { return }
        let now = Timestamp.now()
        let began = job.startedAt ?? now
        // Of what ran before us the ledger has told.
        var charged = shareCharged[id] ?? Charged(at: max(began, startedAt))
        let amount: Double
        switch share.by.value {
        case .energy: amount = (totals?.energy.joules ?? charged.amount) - charged.amount
        case .carbon: amount = (totals?.carbon.grams ?? charged.amount) - charged.amount
        case .cpuTime: amount = max(0, now.since(charged.at).seconds) * Double(job.spec.resources.cpus)
        }
        scheduler.charge(job.pending.account, amount, at: now)
        charged.amount += share.by.value == .cpuTime ? 0 : max(0, amount)
        charged.at = now
        shareCharged[id] = charged
    }
}
