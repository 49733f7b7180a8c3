import Glibc
import LinuxSystem

/// One energy event of one package, open.
struct PerfCounter: RAPLCounter {
    private let events: PerfEvents
    private let request: PerfEvents.Request
    /// Joules a count.
    private let scale: Double
    private var count: PerfEvents.Count?
    private var counter: EnergyCounter

    /// - Parameters:
    ///   - count: the event, open; nil where that failed. It is opened anew at each reading then.
    ///   - bound: more than the hardware can draw, in watts.
    init(
        _ request: PerfEvents.Request, count: PerfEvents.Count?, scale: Double, bound: Double, events: PerfEvents
    ) {
        self.events = events
        self.request = request
        self.scale = scale
        self.count = count
        // The kernel makes 64 bits of the hardware's 32, so this counter has no wrap of its own.
        counter = EnergyCounter(
            range: nil, ceiling: bound, renewalSeconds: RAPLTiming.renewalSeconds,
            standstillSeconds: RAPLTiming.standstillSeconds, slowestRenewal: RAPLTiming.slowestRenewal)
    }

    var isStuck: Bool { counter.isStuck }

    mutating func begin() { counter.begin(at: try? microjoules()) }

    mutating func change(over seconds: Double, doubt: String?) -> EnergyCounter.Change {
        do throws(LinuxError) {
            return counter.change(to: try microjoules(), over: seconds, doubt: doubt)
        } catch {
            counter.begin(at: nil)
            // The processor may have been taken out: the next reading opens the event anew.
            count = nil
            return .gap("the counter cannot be read: \(error.message)")
        }
    }

    /// Since the event was opened.
    private mutating func microjoules() throws(LinuxError) -> UInt64 {
        let open: PerfEvents.Count
        if let count { open = count } else { open = try events.open(request) }
        count = open
        let value = Double(try open.read()) * scale * 1e6
        // Beyond this a Double does not hold single microjoules; it is 9 GJ, years of any machine.
        guard value < 0x1p53 else { throw LinuxError("read", path: nil, message: "an energy beyond all bounds") }
        return UInt64(value)
    }

    /// Why one that could be opened is not used.
    static let standsStill = RAPLRefusal(
        "it stood still for \(RAPLTiming.standstillSeconds) s when it was opened: not used")

    /// Why an event could not be opened, and what to do.
    static func refusal(_ error: LinuxError) -> RAPLRefusal {
        let isClosed = error.code == EACCES || error.code == EPERM
        let hint = isClosed ? "; mld needs CAP_PERFMON, or kernel.perf_event_paranoid must be 0 or less" : ""
        return RAPLRefusal("cannot be opened: \(error.message)\(hint)")
    }
}
