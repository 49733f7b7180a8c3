import JobAPI
import Logging
import Metering
import Policy
import Scheduling
import Units

// What is done where the machine draws more than its cap all the same: plans are made of what jobs are expected to draw.
extension JobController {
    /// Looks at a reading of the meters; nobody is woken for it.
    func keepCap(_ drawn: Power, at uptime: Uptime) async {
        // A card's driver may take its time; readings meanwhile are not needed.
        guard let cap = policy.machine.powerCap.value, !isKeepingCap else { return }
        isKeepingCap = true
        defer { isKeepingCap = false }
        switch capKeeper.note(drawn.watts, cap: cap.watts, at: uptime.seconds) {
        case .steady: return
        case .tighten(let excess): await tighten(by: excess, drawn, cap)
        case .loosen: await loosen(drawn)
        }
    }

    private func tighten(by excess: Double, _ drawn: Power, _ cap: Power) async {
        let parts = await parts()
        let candidates = scheduler.active.values.compactMap { job -> CapKeeper.Candidate? in
            guard let live = live[job.id], live.process != nil, live.state == .running, live.isLeftAlone,
                !job.standsStill, !job.isOverCap
            else { return nil }
            let priority = policy.queue(job.queue)?.priority.value ?? 0
            return CapKeeper.Candidate(
                id: job.id, priority: priority,
                cpus: cannotCap.contains(job.id)
                    ? 1 : cpusByCap[job.id] ?? scheduler.cpuCap(job.id)?.value ?? job.request.cpus,
                canFreeze: job.isInterruptible && !job.isSpared)
        }
        let said = "the machine draws \(drawn), machine.power-cap is \(cap) (\(policy.machine.powerCap.place))"
        scheduler.noteExcess(drawn.watts - scheduler.predictedWatts)
        let steps = CapKeeper.steps(against: excess, parts: parts, jobs: candidates)
        if steps.isEmpty { return logger.error("\(said); nothing is left to hold it down with") }
        for step in steps where await take(step) {
            capKeeper.did(step)
            logger.warning("\(said): \(Self.words(step))")
        }
        requestPlan()
    }

    /// - Returns: false where it could not be done.
    private func take(_ step: CapKeeper.Step) async -> Bool {
        switch step {
        case .limit(let key, let watts):
            do {
                _ = try await limits.hold(key, to: watts, for: .cap)
                return true
            } catch {
                logger.error("cannot limit its power: \(error)")
                deadLimits.insert(key)
                return false
            }
        case .cpus(let id, let count):
            cpusByCap[id] = count
            keepCaps()
            return !cannotCap.contains(id)
        case .freeze(let id):
            scheduler.hold(id, overCap: true)
            return true
        }
    }

    private func loosen(_ drawn: Power) async {
        for step in capKeeper.undo() { await undo(step, "the machine draws \(drawn)") }
        if capKeeper.steps.isEmpty { scheduler.noteExcess(nil) }
        requestPlan()
    }

    private func undo(_ step: CapKeeper.Step, _ cause: String) async {
        switch step {
        case .limit: await limits.release(.cap)
        case .cpus(let id, _):
            // Halved more than once: what the step before left it.
            cpusByCap[id] = capKeeper.steps.compactMap { if case .cpus(id, let count) = $0 { count } else { nil } }.last
            keepCaps()
        case .freeze(let id): scheduler.hold(id, overCap: false)
        }
        logger.notice("\(cause): undone: \(Self.words(step))")
    }

    /// The policy caps the machine's power no more.
    func letGoOfCap() async {
        guard !capKeeper.steps.isEmpty else { return }
        while case let steps = capKeeper.undo(), !steps.isEmpty {
            for step in steps { await undo(step, "machine.power-cap is gone") }
        }
        scheduler.noteExcess(nil)
        capKeeper = CapKeeper()
        requestPlan()
    }

    /// Nobody looks any more: hardware and CPUs are as they were. What stands still does so by the ledger, and goes on with the next
    /// daemon.
    func letGoAtStop() async {
        await limits.releaseAll()
        cpusByCap = [:]
        keepCaps()
    }

    /// Of a job that is over nothing is to be undone.
    func forgetCap(_ id: JobID) {
        cpusByCap[id] = nil
        cannotCap.remove(id)
        capKeeper.forget(id)
    }

    private func parts() async -> [CapKeeper.Part] {
        let drawn = await meter.domainPowers()
        var parts: [CapKeeper.Part] = []
        for limiter in await limits.limiters() where !deadLimits.contains(limiter.key) {
            do {
                let limit = try await limits.limit(limiter.key)
                parts.append(
                    CapKeeper.Part(
                        key: limiter.key, drawn: drawn[limiter.domain], limit: limit.now,
                        least: leastLimit(limiter, before: limit.before)))
            } catch {
                logger.error("\(error)")
            }
        }
        return parts
    }

    /// A processor says nothing of how low its limit may be, and with a few watts a machine stands still.
    private static let leastPart = 0.25

    /// - Parameter before: the limit before any was set.
    func leastLimit(_ limiter: PowerLimiter, before: Double) -> Double {
        let floor = limiter.kind == .cpu ? policy.machine.cpuPowerFloor.value : policy.machine.gpuPowerFloor.value
        return max(floor?.watts ?? 0, limiter.range?.lowerBound ?? before * Self.leastPart)
    }

    static func words(_ step: CapKeeper.Step) -> String {
        switch step {
        case .limit(let key, let watts): "\(key) is limited to \(Power(watts: watts))"
        case .cpus(let id, let count): "job \(id) is held to \(counted(count, "cpu"))"
        case .freeze(let id): "job \(id) is suspended"
        }
    }
}
