import Glibc
import LinuxSystem

/// How energy events are opened: of this machine by perf_event_open(2), of a stand-in tree by files. The processor's events
/// are never opened for a tree that presents other hardware.
struct PerfEvents: Sendable {
    /// What is opened: one event on one CPU.
    struct Request: Sendable, Hashable {
        var name: String
        var type: UInt32
        var config: UInt64
        var cpu: Int32
    }

    /// An open counter; closed when the last copy goes.
    struct Count: Sendable {
        /// Counts since it was opened.
        var read: @Sendable () throws(LinuxError) -> UInt64

        init(read: @escaping @Sendable () throws(LinuxError) -> UInt64) {
            self.read = read
        }
    }

    var open: @Sendable (Request) throws(LinuxError) -> Count
    /// Whether a counter that was just opened advances. Files stand still until somebody writes them, and say nothing by it.
    var moves: @Sendable (Count) -> Bool

    init(
        open: @escaping @Sendable (Request) throws(LinuxError) -> Count,
        moves: @escaping @Sendable (Count) -> Bool = { _ in true }
    ) {
        self.open = open
        self.moves = moves
    }

    init(roots: SystemRoots) {
        self = roots.showsThisMachine ? .kernel : .files(roots)
    }

    private final class Owner: Sendable {
        let counter: Descriptor

        init(_ counter: consuming Descriptor) {
            self.counter = counter
        }
    }

    private static let kernel = PerfEvents(
        open: { request throws(LinuxError) in
            let owner = Owner(try .perfCounter(type: request.type, config: request.config, cpu: request.cpu))
            return Count { () throws(LinuxError) in try owner.counter.perfCount() }
        }, moves: advances)

    /// Watches a counter until it advances, at most for as long as no powered domain draws nothing.
    ///
    /// Some virtual machines offer counters that read 0 for ever. Found out only by standing still for long, one would cost the
    /// first half-minute of each start. One that cannot be read is judged by its readings.
    static func advances(_ count: Count) -> Bool {
        guard let first = try? count.read() else { return true }
        let start = SystemClock.monotonicNanoseconds()
        while SystemClock.monotonicNanoseconds() - start < Int64(RAPLTiming.standstillSeconds * 1e9) {
            usleep(2000)
            guard let value = try? count.read(), value == first else { return true }
        }
        return false
    }

    /// `counters/energy-pkg@0` beside the events of a stand-in tree holds the count of the event on CPU 0.
    private static func files(_ roots: SystemRoots) -> PerfEvents {
        PerfEvents { request throws(LinuxError) in
            let path =
                roots.sysfs + "/bus/event_source/devices/power/counters/\(request.name)@\(request.cpu)"
            let count = Count { () throws(LinuxError) in
                do throws(SystemFileError) { return try SystemFile.integer(path) } catch {
                    throw LinuxError("read", path: path, message: error.message)
                }
            }
            _ = try count.read()
            return count
        }
    }
}
