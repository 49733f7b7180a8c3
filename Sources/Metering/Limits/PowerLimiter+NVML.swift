import LinuxSystem

// A card's power management limit. Drivers refuse it to all but root, and some cards have none.
extension PowerLimiter {
    static func nvml(_ roots: SystemRoots) -> ([PowerLimiter], [PowerLimitError]) {
        guard let name = roots.nvml else { return ([], []) }
        // A driver may hang; see NVMLReader.
        guard let call = try? BoundedCall({ nvml(library: name) }),
            let found = call.answer(within: NVMLReader.startPatience)
        else { return ([], [PowerLimitError(domain: "nvml", message: "NVML does not answer")]) }
        return found
    }

    private static func nvml(library name: String) -> ([PowerLimiter], [PowerLimitError]) {
        var limiters: [PowerLimiter] = []
        var problems: [PowerLimitError] = []
        let library: NVML
        let count: Int
        do throws(NVML.Opening) { library = try NVML(library: name) } catch {
            if case .unusable(let reason) = error { problems.append(PowerLimitError(domain: "nvml", message: reason)) }
            return ([], problems)
        }
        do throws(NVML.Failure) { count = try library.count() } catch {
            return ([], [PowerLimitError(domain: "nvml", message: error.message)])
        }
        for index in 0..<count {
            do throws(NVML.Failure) {
                let device = try library.device(index)
                let domain = NVMLCard.domain(uuid: try library.uuid(device))
                _ = try library.powerLimit(device)
                limiters.append(
                    PowerLimiter(
                        domain: domain, kind: .gpu, key: domain, range: try library.powerLimits(device),
                        read: { () throws(PowerLimitError) in
                            try bounded(domain) { () throws(NVML.Failure) in try library.powerLimit(device) }
                        },
                        write: { (watts) throws(PowerLimitError) in
                            _ = try bounded(domain) { () throws(NVML.Failure) in
                                try library.setPowerLimit(device, watts)
                                return watts
                            }
                        }))
            } catch {
                problems.append(
                    PowerLimitError(domain: "gpu \(index)", message: "its power cannot be limited: \(error.reason)"))
            }
        }
        return (limiters, problems)
    }

    /// How long a card may take to answer, in seconds.
    private static let patience = 2.0

    private static func bounded(
        _ domain: String, _ body: @escaping @Sendable () throws(NVML.Failure) -> Double
    ) throws(PowerLimitError) -> Double {
        let call: BoundedCall<Result<Double, NVML.Failure>>
        do throws(LinuxError) { call = try BoundedCall { Result { () throws(NVML.Failure) in try body() } } } catch {
            throw PowerLimitError(domain: domain, message: "the system gives no thread: \(error)")
        }
        switch call.answer(within: patience) {
        case .success(let watts): return watts
        case .failure(let failure): throw PowerLimitError(domain: domain, message: failure.message)
        case nil: throw PowerLimitError(domain: domain, message: "NVML does not answer")
        }
    }
}
