import Policy
import Scheduling
import Units

// How grid and machine stand now, and what follows from a change.
extension JobController {
    /// The grid's intensity or price is another now; nil where it is not known.
    func gridIs(intensity: CarbonIntensity?, price: EnergyPrice?) {
        guard intensity != conditions.intensity || price != conditions.price else { return }
        conditions.intensity = intensity
        conditions.price = price
        requestPlan()
    }

    private static let powerPause = Duration.seconds(60)

    /// Looks at what the machine draws, once a minute at most, and only where a rule asks and there is a job it may be about.
    func lookAtPower() async {
        guard policy.asksForPower, scheduler.pendingCount > 0 || !scheduler.active.isEmpty else {
            conditions.power = nil
            powerAt = nil
            return
        }
        let now = Timestamp.now()
        if let last = powerAt, (.zero..<Self.powerPause).contains(now.since(last)) {
            return wakeUp(at: last.advanced(by: Self.powerPause))
        }
        powerAt = now
        conditions.power = await meter.power()
        wakeUp(at: now.advanced(by: Self.powerPause))
    }
}
