import LinuxSystem

/// One energy counter of the powercap tree and what its two latest values mean.
///
/// The counter is in µJ, grows, and starts again at zero after `range`. What cannot be told apart from a reset, a jump or
/// several turns is refused with a reason; the caller books a gap.
struct PowercapZone: Sendable {
    /// Where the zone is: `/sys/class/powercap/intel-rapl:0`.
    let path: String
    /// The kernel's name: `package-0`, `dram`, `psys`.
    let name: String
    /// The value after which the counter starts again, in µJ; nil when it cannot be read.
    let range: UInt64?
    /// More than the zone can draw, in watts.
    let ceiling: Double
    /// Whether the ceiling is the kernel's own figure and not our bound for any such hardware.
    let ceilingIsStated: Bool

    private var last: UInt64?

    /// Beyond the stated maximum, short turbo peaks are real.
    static let turboAllowance = 1.5
    /// A counter renews about every millisecond; one late renewal may bring this much time's energy on top.
    static let renewalSeconds = 0.005
    /// A powered domain always draws something. Below this length a renewal may simply not have come yet.
    static let standstillSeconds = 0.1

    enum Change: Equatable {
        /// Energy since the reading before, in µJ.
        case energy(UInt64)
        case gap(String)
    }

    init(path: String, name: String, kindBound: Double) {
        self.path = path
        self.name = name
        range = (try? SystemFile.integer(path + "/max_energy_range_uj")).flatMap { $0 > 0 ? $0 : nil }
        let stated = Self.statedMaximum(path)
        ceiling = stated.map { $0 * Self.turboAllowance } ?? kindBound
        ceilingIsStated = stated != nil
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

    /// Takes the value from which the next change counts; a zone that cannot be read has none.
    mutating func begin() { last = try? value() }

    /// The change since the value before, over `seconds`. A `doubt` about the interval makes it a gap and a new baseline.
    mutating func change(over seconds: Double, doubt: String?) -> Change {
        let before = last
        last = nil
        let now: UInt64
        do {
            now = try value()
        } catch {
            return .gap(
                error.kind == .missing ? "the counter vanished" : "the counter is \(error.kind): \(error.message)")
        }
        last = now
        if let doubt { return .gap(doubt) }
        guard let before else { return .gap("the counter came back: new baseline") }
        return judge(now: now, before: before, seconds: seconds)
    }

    private func judge(now: UInt64, before: UInt64, seconds: Double) -> Change {
        let allowed = ceiling * (seconds + Self.renewalSeconds) * 1e6
        if let range, ceilingIsStated, allowed >= Double(range) {
            return .gap("the counter may have gone round more than once in \(seconds) s")
        }
        let delta: UInt64
        let wrapped = now < before
        if wrapped {
            guard let range else { return .gap("the counter went back and its range cannot be read") }
            guard before <= range else { return .gap("the counter went back from beyond its range") }
            let (sum, overflow) = (range - before).addingReportingOverflow(now)
            guard !overflow else { return .gap("the counter went back from beyond its range") }
            delta = sum
        } else {
            delta = now - before
        }
        guard Double(delta) <= allowed else {
            let cause = wrapped ? "the counter was reset" : "the counter jumped above physical power"
            return .gap("\(cause) (more than \(Int(ceiling)) W)")
        }
        if delta == 0, seconds >= Self.standstillSeconds { return .gap("the counter stood still") }
        return .energy(delta)
    }
}
