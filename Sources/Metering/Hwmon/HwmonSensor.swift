import LinuxSystem

/// One file of a hardware-monitoring chip that tells energy (`energyN_input`, in µJ) or power (`powerN_average`,
/// `powerN_input`, in µW), by the kernel's Documentation/hwmon/sysfs-interface.rst.
struct HwmonSensor: Sendable {
    private enum Meter: Sendable {
        case energy(EnergyCounter)
        case power(PowerIntegral)
    }

    let file: String
    private let path: String
    private var meter: Meter

    /// No driver states how often its counter renews: our allowance.
    static let renewalSeconds = 0.1

    /// - Parameter ceiling: more than the hardware can draw, in watts.
    init(chip: String, file: String, ceiling: Double) {
        self.file = file
        path = chip + "/" + file
        meter =
            file.hasPrefix("energy")
            ? .energy(
                EnergyCounter(
                    range: nil, ceiling: ceiling, renewalSeconds: Self.renewalSeconds, standstillSeconds: 0.5))
            : .power(PowerIntegral(ceiling: ceiling))
    }

    var isCounter: Bool { if case .energy = meter { true } else { false } }

    /// In µJ or µW. Some drivers tell a negative power for a sensor that is not ready; that is no reading.
    func value() throws(SystemFileError) -> UInt64 { try SystemFile.integer(path) }

    mutating func begin() {
        let value = try? value()
        switch meter {
        case .energy(var counter):
            counter.begin(at: value)
            meter = .energy(counter)
        case .power(var integral):
            integral.begin(at: value.map { Double($0) / 1e6 })
            meter = .power(integral)
        }
    }

    mutating func reading(over seconds: Double, doubt: String?) -> DomainSample.Reading {
        let value: UInt64
        do {
            value = try self.value()
        } catch {
            begin()
            return .gap(
                error.kind == .missing ? "the sensor vanished" : "the sensor is \(error.kind): \(error.message)")
        }
        switch meter {
        case .energy(var counter):
            let change = counter.change(to: value, over: seconds, doubt: doubt)
            meter = .energy(counter)
            return change.reading
        case .power(var integral):
            let reading = integral.energy(to: Double(value) / 1e6, over: seconds, doubt: doubt)
            meter = .power(integral)
            return reading
        }
    }
}
