package import LinuxSystem

/// Watts per hardware thread by processor generation.
///
/// From Cloud Carbon Footprint, cloud-carbon-coefficients (May 2023, Apache License 2.0), files
/// `output/coefficients-{aws,azure,gcp}-use.csv`, condensed: one row per generation with the lowest and the highest figure of
/// the three providers, rounded to 0.1 mW. Its authors derived them from SPECpower_ssj2008 results as whole-server power
/// divided by hardware threads, so they hold the server's fans, supplies and installed memory too. Their Graviton rows
/// repeat EPYC 2nd Gen.
package struct CPUPowerTable: Sendable {
    package struct Row: Sendable, Hashable {
        package var microarchitecture: Microarchitecture
        /// Watts per thread with nothing running; the providers agree.
        package var idle: Double
        package var fullLow: Double
        package var fullHigh: Double
    }

    package static let year = 2023

    package static let rows: [Row] = [
        Row(microarchitecture: .sandyBridge, idle: 2.1694, fullLow: 8.5502, fullHigh: 8.5754),
        Row(microarchitecture: .ivyBridge, idle: 3.0369, fullLow: 8.1997, fullHigh: 8.2486),
        Row(microarchitecture: .haswell, idle: 1.9006, fullLow: 5.9689, fullHigh: 6.0129),
        Row(microarchitecture: .broadwell, idle: 0.7128, fullLow: 3.3857, fullHigh: 3.6853),
        Row(microarchitecture: .skylake, idle: 0.6446, fullLow: 3.8985, fullHigh: 4.1934),
        Row(microarchitecture: .cascadeLake, idle: 0.6389, fullLow: 3.6425, fullHigh: 3.9673),
        Row(microarchitecture: .coffeeLake, idle: 1.1384, fullLow: 5.4218, fullHigh: 5.4218),
        Row(microarchitecture: .epyc1, idle: 0.8227, fullLow: 2.5531, fullHigh: 2.5531),
        Row(microarchitecture: .epyc2, idle: 0.4743, fullLow: 1.5752, fullHigh: 1.6930),
        Row(microarchitecture: .epyc3, idle: 0.4454, fullLow: 1.8719, fullHigh: 2.0193),
        Row(microarchitecture: .graviton, idle: 0.4743, fullLow: 1.6930, fullHigh: 1.6930),
        Row(microarchitecture: .graviton2, idle: 0.4743, fullLow: 1.6930, fullHigh: 1.6930),
    ]

    /// Processors of one generation differ by this factor either way: against the full-load RAPL figures of the load
    /// sweeps named in `PowerCurve`, the table was 0.5 to 1.2 times the measured watts per thread.
    package static let spreadFactor = 2.0
}

/// What the table says of one CPU: three curves in watts per hardware thread.
package struct CPUCoefficients: Sendable, Hashable {
    package var point: PowerCurve
    package var low: PowerCurve
    package var high: PowerCurve
    /// Which rows were used, for people.
    package var basis: String

    package init(for cpu: CPUIdentity) {
        let all = CPUPowerTable.rows
        let exact = Microarchitecture(cpu)
        let maker: Microarchitecture.Maker? =
            switch cpu.vendor {
            case "GenuineIntel": .intel
            case "AuthenticAMD": .amd
            default: cpu.armImplementer == 0x41 ? .arm : nil
            }
        let used: [CPUPowerTable.Row]
        if let exact {
            used = all.filter { $0.microarchitecture == exact }
            basis = "\(exact.rawValue)"
        } else if let maker {
            used = all.filter { $0.microarchitecture.maker == maker }
            basis = "mean of the table's \(maker.rawValue) generations, this one not being listed"
        } else {
            used = all
            basis = "mean of all generations of the table, the CPU being unknown"
        }
        let idle = Self.mean(used.map(\.idle))
        let full = Self.mean(used.map { ($0.fullLow + $0.fullHigh) / 2 })
        point = PowerCurve(idleWatts: idle, fullWatts: full)
        // A generation that is not listed may be like any that is.
        let span = exact == nil ? all : used
        let factor = CPUPowerTable.spreadFactor
        low = PowerCurve(
            idleWatts: min(idle / factor, span.map(\.idle).min() ?? idle),
            fullWatts: min(full / factor, span.map(\.fullLow).min() ?? full))
        high = PowerCurve(
            idleWatts: max(idle * factor, span.map(\.idle).max() ?? idle),
            fullWatts: max(full * factor, span.map(\.fullHigh).max() ?? full))
    }

    private static func mean(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    }
}
