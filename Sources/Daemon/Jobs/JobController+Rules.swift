import Glibc
import JobAPI
import Ledger
import LinuxSystem
import Logging
import Policy
import Sandbox
import Scheduling
import Units

// Jobs that stand still because the policy says so, and go on when it does not. Their CPUs are lent to others meanwhile; their time
// limit stands still. The ledger is written first, and a restarted daemon does what is written there.
extension JobController {
    /// Sees to what a plan says of jobs that run.
    func obey(_ plan: Plan) {
        let now = Timestamp.now()
        for id in plan.halts {
            // What a person suspended stands still already.
            guard let job = live[id], job.state == .running, job.process != nil, job.isLeftAlone,
                let reason = scheduler.suspension(of: id, now: now)
            else { continue }
            live[id]?.state = .suspended
            obeyLater(id, reason)
        }
        for id in plan.goOns {
            guard let job = live[id], job.state == .suspended, job.process != nil, job.isLeftAlone else { continue }
            // From now on its CPUs are nobody else's.
            scheduler.wentOn(id, at: now)
            obeyLater(id, nil)
        }
    }

    /// - Parameter reason: why it is to stand still; nil to let it go on.
    func obey(_ id: JobID, _ reason: WaitReason?) async {
        do {
            if let reason { try await suspend(id, because: reason) } else { try await goOnByPolicy(id) }
        } catch {
            logger.error("cannot \(reason == nil ? "resume" : "suspend") it: \(error)", metadata: ["job": "\(id)"])
            if reason == nil { scheduler.halted(id, at: .now()) } else { live[id]?.state = .running }
            wakeUp(at: Timestamp.now().advanced(by: .seconds(5)))
        }
    }

    private func suspend(_ id: JobID, because reason: WaitReason) async throws {
        let isWritten = try await ledger.suspend(
            id, because: reason.text, rule: reason.rule?.description, policyHash: policy.hash, at: .now())
        guard isWritten else {
            if live[id]?.state == .suspended { live[id]?.state = .running }
            return
        }
        guard live[id]?.state == .suspended, let process = live[id]?.process else { return }
        freeze(id, process)
        scheduler.halted(id, at: .now())
        // Who has its CPUs meanwhile pays for them.
        await meter.reserve(id, cpus: 0)
        if scheduler.active[id]?.shift == nil { scheduler.expect(id, toEnd: nil) }
        await publishState(id)
        requestPlan()
    }

    private func goOnByPolicy(_ id: JobID) async throws {
        let was = try await stored(id).record.reason
        let cause = live[id]?.sparedBy.map { "resumed by \($0), against the policy" } ?? "resumed; it was \(was)"
        guard try await ledger.resume(id, because: cause, policyHash: policy.hash, at: .now()) else { return }
        await goOn(id, claimCPUs(id))
    }

    /// An admin lets a job go on that the policy suspends. It does as soon as its CPUs are free, and no rule suspends it again.
    func spare(_ id: JobID, by user: String) async throws -> JobRecord {
        live[id]?.sparedBy = user
        scheduler.spare(id)
        requestPlan()
        return try await record(id)
    }

    // MARK: - Caps

    /// What was done to a job that an earlier daemon started is not known.
    static let unknownCap = -1

    /// Holds jobs to the CPUs that `cap` rules leave them now.
    func keepCaps() {
        guard policy.capsCPUs || !caps.isEmpty || !cpusByCap.isEmpty else { return }
        for id in scheduler.active.keys.sorted() {
            let rule = scheduler.cpuCap(id)
            let cap = [rule?.value, cpusByCap[id]].compactMap { $0 }.min()
            guard cap != caps[id], let job = live[id], let process = job.process else { continue }
            let count = cap ?? job.spec.resources.cpus
            noteCap(id, cap != nil)
            do {
                let means = try launcher.limit(process, to: count, among: placements[id]?.cpus ?? [])
                logger.info(
                    "held to \(counted(count, "cpu")) by \(means)",
                    metadata: ["job": "\(id)", "rule": "\(rule?.source.map { "\($0)" } ?? "none")"])
            } catch {
                logger.error("cannot hold it to \(counted(count, "cpu")): \(error)", metadata: ["job": "\(id)"])
                cannotCap.insert(id)
            }
            // Tried once for each change: what fails now fails in a second as well.
            caps[id] = cap
        }
    }

    /// Written down before it is done, and until it is undone.
    private func noteCap(_ id: JobID, _ isCapped: Bool) {
        guard let attempt = live[id]?.attempt else { return }
        let path = directory(id).cap(attempt)
        do throws(LinuxError) {
            if isCapped {
                if access(path, F_OK) != 0 { try AtomicFile.write("", to: path, mode: 0o600) }
            } else if unlink(path) != 0, errno != ENOENT {
                throw LinuxError("unlink", path: path)
            }
        } catch {
            logger.error("cannot note that it is held to fewer CPUs: \(error)", metadata: ["job": "\(id)"])
        }
    }

    func isNotedAsCapped(_ id: JobID) -> Bool {
        live[id].map { access(directory(id).cap($0.attempt), F_OK) == 0 } ?? false
    }

    func keep(_ id: JobID, on cpus: [Int]) {
        guard let process = live[id]?.process else { return }
        do {
            try launcher.keep(process, on: Array(cpus.prefix(caps[id].flatMap { $0 > 0 ? $0 : nil } ?? cpus.count)))
        } catch {
            logger.error("cannot give it other CPUs: \(error)", metadata: ["job": "\(id)"])
        }
    }
}
