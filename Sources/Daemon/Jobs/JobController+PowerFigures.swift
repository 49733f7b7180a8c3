import JobAPI
import Ledger
import LinuxSystem
import Logging
import Metering
import Policy
import Scheduling
import Units

// What the plan goes by where the policy caps the machine's power.
extension JobController {
    private static let figuresPause = Duration.seconds(60)
    /// What a GPU is taken to draw whose limit nobody states: a round figure for those of a server, as in simulations.
    static let assumedGPUWatts = 250.0

    /// Tells the scheduler what the machine draws idle by now, once a minute at most.
    func keepFigures() async {
        guard policy.machine.powerCap.value != nil else { return }
        if let last = figuresAt, (.zero..<Self.figuresPause).contains(Timestamp.now().since(last)) { return }
        await learnFigures()
    }

    func learnFigures() async {
        let isCapped = policy.machine.powerCap.value != nil
        await meter.watchCap(isCapped)
        guard isCapped else { return await letGoOfCap() }
        figuresAt = .now()
        do {
            let table = CPUCoefficients(for: try CPUIdentity(roots: settings.roots))
            let idle = await meter.idlePowers().map { domain, power in
                if let power { return power.watts }
                // Not observed yet.
                return [.cpu, .platform].contains(domain.kind) ? table.high.idleWatts * Double(machine.cpus) : 0
            }
            scheduler.adopt(
                figures: PowerTerms.Figures(
                    idle: idle.reduce(0, +), perCPU: max(0, table.high.fullWatts - table.low.idleWatts),
                    perGPU: layout.gpus.map { $0.powerLimit ?? Self.assumedGPUWatts }.max() ?? 0))
        } catch {
            logger.error("cannot tell what the machine draws idle: \(error)")
        }
    }

    /// What a job that was found running holds, with what its likes draw.
    func planned(_ stored: StoredJob) -> ResourceVector {
        // Its GPUs are as they were given to it, whatever the policy of today would do.
        var request = scheduler.settled(
            machine.request(stored.spec.resources), inQueue: stored.record.queue,
            given: stored.placement?.gpus.first?.shared)
        request.power = scheduler.draw(of: request, likes: stored.keys.work)
        return request
    }

    /// Nil where nothing caps the machine's power.
    func expectation(for spec: JobSpec, user: UInt32) -> PowerExpectation? {
        guard policy.machine.powerCap.value != nil else { return nil }
        let keys = JobKeys(spec, user: user, queue: spec.queue ?? "")
        return scheduler.expectation(for: machine.request(spec.resources), likes: keys.work)
    }

    func powerReport() async -> DeviceReport.Power? {
        guard let cap = policy.machine.powerCap.value else { return nil }
        let measured = await meter.measuredPower()
        return DeviceReport.Power(
            capW: cap.watts, source: policy.machine.powerCap.place, idleW: scheduler.power.idle,
            predictedW: scheduler.predictedWatts, measuredW: measured?.watts,
            actions: capKeeper.steps.map(Self.words))
    }
}
