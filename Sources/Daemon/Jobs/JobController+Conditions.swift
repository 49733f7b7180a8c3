import Policy
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
}
