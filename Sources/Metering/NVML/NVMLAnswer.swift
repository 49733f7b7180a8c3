/// All that the driver tells of one card at one moment, read in one go away from whoever reads the meters.
struct NVMLAnswer: Sendable {
    var microjoules: Result<UInt64, NVML.Failure>
    var watts: Result<Double, NVML.Failure>
    var running: Result<CardProcesses.Running, NVML.Failure>
    /// Of how busy each process kept it.
    var samples: Result<[CardProcesses.Sample], NVML.Failure>

    /// - Parameter since: from when on samples are new, in µs since 1970; nil for none.
    init(_ library: NVML, _ device: NVML.Device, since: UInt64?) {
        watts = Self.result { () throws(NVML.Failure) in Double(try library.power(device)) / 1000 }
        microjoules = Self.result { () throws(NVML.Failure) in
            let (value, overflow) = try library.energy(device).multipliedReportingOverflow(by: 1000)
            if overflow { throw NVML.Failure(code: -1, message: "an energy beyond all bounds") }
            return value
        }
        // Samples before the list, so that whoever is in them is in the list or has left.
        samples = Self.result { () throws(NVML.Failure) in
            if let since { try library.utilisation(device, since: since) } else { [] }
        }
        running = Self.result { () throws(NVML.Failure) in try library.running(device) }
    }

    /// An answer that did not come.
    init(_ failure: NVML.Failure) {
        microjoules = .failure(failure)
        watts = .failure(failure)
        running = .failure(failure)
        samples = .failure(failure)
    }

    private static func result<T>(_ body: () throws(NVML.Failure) -> T) -> Result<T, NVML.Failure> {
        do throws(NVML.Failure) { return .success(try body()) } catch { return .failure(error) }
    }

    /// Whether the card has such a meter; nil where that cannot be told now.
    var hasCounter: Bool? { Self.isThere(microjoules) }
    var hasSensor: Bool? { Self.isThere(watts) }
    /// A card that is neither counted nor measured by its driver.
    var hasNoMeter: Bool { hasCounter == false && hasSensor == false }

    private static func isThere<T>(_ result: Result<T, NVML.Failure>) -> Bool? {
        switch result {
        case .success: true
        case .failure(let failure): failure.code == NVML.Failure.notSupported ? false : nil
        }
    }

    var values: MeterValues {
        MeterValues(
            microjoules: microjoules.mapError { MeterValues.Failure(reason: $0.reason) },
            watts: watts.mapError { MeterValues.Failure(reason: $0.reason) })
    }
}

extension NVML.Failure {
    var reason: String { code == Self.gpuIsLost ? "the GPU fell off the bus" : message }
}
