import JobAPI
import Ledger
import Logging
import Metering
import Policy
import Scheduling
import Units

// What each job may draw, by its queue and by rules: the hardware holds a part that is the job's alone.
extension JobController {
    /// What a job is held to now.
    struct PowerHold: Hashable {
        var bound: PowerBound
        var keys: [String]
        /// In force, of all its parts: a floor may leave it more than was wanted.
        var watts = 0.0
    }

    /// What a job is to be held to, and why.
    struct PowerBound: Hashable {
        var watts: Double
        var words: String
    }

    /// Limits the job's power before its first process exists.
    /// - Returns: what was done and what could not be, as its record shows them.
    func limitPower(of id: JobID) async -> (enforced: [String], notEnforced: [String]) {
        guard limitsPower, let job = live[id] else { return ([], []) }
        var notes: [String] = []
        let chosen = chosenBound(of: job, &notes)
        chosenBounds[id] = chosen
        guard let bound = lowest(fixedBound(of: job), chosen) else { return ([], notes) }
        do {
            let hold = try await hold(id, to: bound)
            let wanted = hold.watts > bound.watts ? ", which wants \(Power(watts: bound.watts))" : ""
            let done = "power: \(Power(watts: hold.watts)) by \(hold.keys.joined(separator: ", "))"
            return (["\(done); \(bound.words)\(wanted)"], notes)
        } catch {
            failedBounds[id] = bound
            return ([], notes + ["power limit of \(Power(watts: bound.watts)) (\(bound.words)): \(error)"])
        }
    }

    /// Whether anything limits the power of jobs.
    var limitsPower: Bool {
        policy.queues.contains { $0.powerLimit.value != .none } || policy.rules.contains { $0.cap.power != nil }
    }

    private func lowest(_ bounds: PowerBound?...) -> PowerBound? {
        bounds.compactMap(\.self).min { $0.watts < $1.watts }
    }

    /// By its history, once at its start.
    private func chosenBound(of job: LiveJob, _ notes: inout [String]) -> PowerBound? {
        guard let queue = policy.queue(job.queue), queue.powerLimit.value == .fromHistory else { return nil }
        let place = "queue.\(queue.name).power-limit, \(queue.powerLimit.place)"
        let advice = scheduler.history.limit(job.pending.likes)
        guard case .limit(let choice) = advice else {
            notes.append("power limit: none by its history: \(advice.words) (\(place))")
            return nil
        }
        return PowerBound(watts: choice.watts, words: "\(choice.words) (\(place))")
    }

    /// By a figure of its queue or by rules.
    private func fixedBound(of job: LiveJob) -> PowerBound? {
        let subject = policy.subject(
            of: job.spec, queue: job.queue, project: job.pending.project, by: submitter(uid: job.uid, gid: job.gid))
        let power = policy.bounds(for: subject, at: .now(), in: conditions).power
        guard let watts = power.value?.watts else { return nil }
        let name = power.source.map { "\($0)" } ?? ""
        return PowerBound(watts: watts, words: "by \(name)")
    }

    private func hold(_ id: JobID, to bound: PowerBound) async throws -> PowerHold {
        let parts = try await ownParts(of: id)
        var hold = PowerHold(bound: bound, keys: [])
        do {
            for limiter in parts {
                let before = try await limits.limit(limiter.key).before
                let watts = max(leastLimit(limiter, before: before), bound.watts / Double(parts.count))
                hold.keys.append(limiter.key)
                powerHolds[id] = hold
                let now = try await limits.hold(limiter.key, to: watts, for: .job(id))
                hold.watts += now
                logger.info(
                    "\(limiter.domain) is limited to \(Power(watts: now))",
                    metadata: ["job": "\(id)", "cause": "\(bound.words)"])
            }
        } catch {
            await letGoOfPower(id)
            throw error
        }
        powerHolds[id] = hold
        return hold
    }

    private func letGoOfPower(_ id: JobID) async {
        guard powerHolds.removeValue(forKey: id) != nil else { return }
        await limits.release(.job(id))
    }

    /// The parts of the machine that are the job's alone: its cards, or, where it has none and nobody else runs, the processors.
    private func ownParts(of id: JobID) async throws -> [PowerLimiter] {
        let all = await limits.limiters()
        let cards = grantedGPUs(id).map(\.id)
        if !cards.isEmpty {
            if scheduler.active[id]?.request.card.isShared == true {
                throw PowerLimitError(domain: "gpu", message: "other jobs may share its cards")
            }
            let found = all.filter { $0.kind == .gpu && cards.contains($0.domain) }
            guard found.count == cards.count else {
                throw PowerLimitError(domain: "gpu", message: "the limit of a card it has cannot be set")
            }
            return found
        }
        let packages = all.filter { $0.kind == .cpu }
        if packages.isEmpty { throw PowerLimitError(domain: "cpu", message: "no processor's limit can be set") }
        guard isAlone(id) else {
            throw PowerLimitError(domain: "cpu", message: "it shares the processors with other jobs")
        }
        return packages
    }

    private func isAlone(_ id: JobID) -> Bool { scheduler.active.keys.allSatisfy { $0 == id } }

    /// Lets go of what was for jobs that are over, and follows rules that say something else by now. A job on the processors loses
    /// its limit when it is not alone any more.
    func keepPowerLimits() async {
        for id in powerHolds.keys.sorted() where scheduler.active[id] == nil { await letGoOfPower(id) }
        chosenBounds = chosenBounds.filter { scheduler.active[$0.key] != nil }
        guard limitsPower || !powerHolds.isEmpty else { return }
        for id in scheduler.active.keys.sorted() {
            guard let job = live[id], job.process != nil, job.isLeftAlone else { continue }
            if chosenBounds[id] == nil {
                // An earlier daemon started it.
                var notes: [String] = []
                chosenBounds[id] = chosenBound(of: job, &notes)
            }
            let isByHistory = policy.queue(job.queue)?.powerLimit.value == .fromHistory
            let bound = lowest(fixedBound(of: job), isByHistory ? chosenBounds[id] ?? nil : nil)
            let isLost = powerHolds[id].map { $0.keys.contains { $0.hasPrefix("powercap/") } && !isAlone(id) } ?? false
            guard isLost || bound?.watts != (powerHolds[id]?.bound ?? failedBounds[id])?.watts else { continue }
            await letGoOfPower(id)
            failedBounds[id] = bound
            if let bound, !isLost {
                do { _ = try await hold(id, to: bound) } catch {
                    logger.notice(
                        "cannot hold it to \(Power(watts: bound.watts)): \(error)", metadata: ["job": "\(id)"])
                }
            }
            await note(id, .changing)
        }
        failedBounds = failedBounds.filter { scheduler.active[$0.key] != nil }
    }

    /// Under which limit the attempt runs, for those that are to learn of it.
    func notePowerLimit(_ id: JobID) async {
        guard limitsPower else { return }
        if let hold = powerHolds[id] { await note(id, .held(hold.watts)) }
    }

    private func note(_ id: JobID, _ limit: RunSample.Limit) async {
        guard let attempt = live[id]?.attempt else { return }
        let milliwatts: Int64 =
            switch limit {
            case .none: 0
            case .held(let watts): Int64(watts * 1000)
            case .changing: -1
            }
        do {
            try await ledger.notePowerLimit(id, attempt: attempt, milliwatts: milliwatts)
        } catch {
            logger.error("cannot write its power limit down: \(error)", metadata: ["job": "\(id)"])
        }
    }
}

extension LimitChoice {
    /// `its 4 likes under 150 W ran 3 % longer and took 12 kJ less`.
    var words: String {
        let percent = Int((abs(slowdown) * 100).rounded())
        let time = percent == 0 ? "as long" : "\(percent) % \(slowdown < 0 ? "shorter" : "longer")"
        let energy = "\(Energy(joules: abs(saved))) \(saved < 0 ? "more" : "less")"
        return
            "\(runs) of its likes under \(Power(watts: watts)) ran \(time) and took \(energy) each than those without a limit"
    }
}

extension LimitAdvice {
    var words: String {
        switch self {
        case .noLimitedRuns: "fewer than 3 of its likes ran under any one limit"
        case .noFreeRuns: "fewer than 3 of its likes ran without a limit, and nobody can tell what one costs in time"
        case .allSlow: "under each limit its likes ran longer by more than \(Int(RunHistory.mostSlowdown * 100)) %"
        case .limit(let choice): choice.words
        }
    }
}
