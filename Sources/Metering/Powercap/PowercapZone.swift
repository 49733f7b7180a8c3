import LinuxSystem

/// One zone of the powercap tree: the files of its energy counter.
struct PowercapZone: RAPLCounter {
    /// Where the zone is: `/sys/class/powercap/intel-rapl:0`.
    let path: String
    private var counter: EnergyCounter

    /// What the kernel calls the maximum is the processor's thermal design power. Processors of laptops draw several times
    /// that for seconds: 6 W with a limit of 12 W, 17 W with 37 W.
    static let turboAllowance = 10.0
    /// Some machines state a few watts, or nonsense.
    static let leastCeiling = 100.0

    /// - Parameter kindBound: more than any such hardware draws, in watts, whatever the machine states.
    init(path: String, kindBound: Double) {
        self.path = path
        let stated = Self.statedMaximum(path).map { max($0 * Self.turboAllowance, Self.leastCeiling) }
        counter = EnergyCounter(
            range: try? SystemFile.integer(path + "/max_energy_range_uj"), ceiling: min(stated ?? kindBound, kindBound),
            renewalSeconds: RAPLTiming.renewalSeconds, standstillSeconds: RAPLTiming.standstillSeconds,
            slowestRenewal: RAPLTiming.slowestRenewal)
    }

    /// The largest `constraint_N_max_power_uw`, in watts. Absent or zero on many machines.
    private static func statedMaximum(_ path: String) -> Double? {
        var largest: UInt64 = 0
        for index in 0..<4 {
            let file = path + "/constraint_\(index)_max_power_uw"
            if let value = try? SystemFile.integer(file) { largest = max(largest, value) }
        }
        return largest > 0 ? Double(largest) / 1e6 : nil
    }

    /// The counter's value now, in µJ.
    func value() throws(SystemFileError) -> UInt64 { try SystemFile.integer(path + "/energy_uj") }

    var isStuck: Bool { counter.isStuck }

    mutating func begin() { counter.begin(at: try? value()) }

    mutating func change(over seconds: Double, doubt: String?) -> EnergyCounter.Change {
        do {
            return counter.change(to: try value(), over: seconds, doubt: doubt)
        } catch {
            counter.begin(at: nil)
            return .gap(
                error.kind == .missing ? "the counter vanished" : "the counter is \(error.kind): \(error.message)")
        }
    }
}
