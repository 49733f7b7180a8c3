import LinuxSystem
import Units

/// The processor's part of the model: a curve of this machine's own, or the table's for its generation.
enum CPUPowerModel: Sendable {
    case table(CPUCoefficients)
    case calibrated(Calibration)

    /// Watts of the whole machine with nothing running.
    func idle(cpus: Int) -> Power {
        switch self {
        case .table(let coefficients): Power(watts: coefficients.point.idleWatts * Double(cpus))
        case .calibrated(let calibration): Power(watts: calibration.idleWatts)
        }
    }

    func reading(_ load: MachineLoad, seconds: Double) -> DomainSample.Reading {
        let utilisation = load.utilisation(over: seconds)
        func energy(_ watts: Double) -> Energy { Power(watts: watts).over(seconds: seconds) }
        switch self {
        case .table(let coefficients):
            func part(_ curve: PowerCurve) -> Energy { energy(curve.watts(at: utilisation) * Double(load.cpus)) }
            return .energy(
                EnergyRange(part(coefficients.point), low: part(coefficients.low), high: part(coefficients.high)))
        case .calibrated(let calibration):
            // The curve is the whole machine's; with other CPUs on line it is another machine.
            guard load.cpus == calibration.cpus else {
                return .gap("\(load.cpus) CPUs are online, the calibration is of \(calibration.cpus)")
            }
            let watts = calibration.curve.watts(at: utilisation)
            let range = calibration.relativeRange
            return .energy(
                EnergyRange(energy(watts), low: energy(watts * (1 - range)), high: energy(watts * (1 + range))))
        }
    }
}
