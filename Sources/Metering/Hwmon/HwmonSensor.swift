import Glibc
import LinuxSystem

/// The files of a hardware-monitoring chip that tell energy (`energyN_input`, in µJ) or power (`powerN_average`,
/// `powerN_input`, in µW) of one thing, by the kernel's Documentation/hwmon/sysfs-interface.rst.
struct HwmonSensor: Sendable {
    private let counter: String?
    private let power: String?
    private var meter: CheckedMeter

    /// No driver states how often its counter renews: our allowance.
    static let renewalSeconds = 0.1

    init(chip: String, _ purpose: HwmonChip.Purpose) {
        counter = purpose.counter.map { chip + "/" + $0 }
        power = purpose.power.map { chip + "/" + $0 }
        meter = CheckedMeter(
            counter: counter.map { _ in
                EnergyCounter(
                    range: nil, ceiling: purpose.ceiling, renewalSeconds: Self.renewalSeconds, standstillSeconds: 0.5)
            }, sensor: power.map { _ in PowerIntegral(ceiling: purpose.ceiling) })
    }

    var usesCounter: Bool { meter.counter != nil }
    var isDead: Bool { meter.isDead }
    var verdict: String? { meter.verdict }

    /// Why none of its files can be read now; nil if one can.
    var refusal: SystemFileError? {
        var first: SystemFileError?
        for path in [counter, power].compactMap(\.self) {
            do throws(SystemFileError) {
                _ = try SystemFile.integer(path)
                return nil
            } catch { first = first ?? error }
        }
        return first
    }

    mutating func begin() { meter.begin(values()) }

    mutating func reading(over seconds: Double, doubt: String?) -> DomainSample.Reading {
        meter.reading(values(), over: seconds, doubt: doubt)
    }

    private func values() -> MeterValues {
        MeterValues(
            microjoules: counter.map(Self.value), watts: power.map { Self.value($0).map { Double($0) / 1e6 } })
    }

    /// Some drivers tell a negative power for a sensor that is not ready; that is no reading.
    private static func value(_ path: String) -> Result<UInt64, MeterValues.Failure> {
        do throws(SystemFileError) { return .success(try SystemFile.integer(path)) } catch {
            let reason =
                error.kind == .missing ? "the sensor vanished" : "the sensor is \(error.kind): \(error.message)"
            return .failure(MeterValues.Failure(reason: reason))
        }
    }
}

extension SystemFileError {
    /// Its permissions are not for us. A driver's own refusal, such as of a card that sleeps, is another error.
    var isDenied: Bool { message == String(cString: strerror(EACCES)) }
}
