import Glibc
import LinuxSystem
import Synchronization

/// Keeps CPUs busy with a mix of integer, floating-point and memory work, on threads of this process.
///
/// Every thread takes turns at all three, so that the mix is the same at each level. The threads end with the process.
package final class LoadGenerator: Sendable {
    /// Told to the threads of one level, which end when it is set.
    private final class Stop: Sendable {
        let isSet = Atomic<Bool>(false)
    }

    private struct State {
        var stop = Stop()
        var threads: [pthread_t] = []
    }

    /// Between two looks at the clock: some milliseconds, short against a sample and the same of each kind of work.
    static let slices = 9

    private let state = Mutex(State())
    /// Bytes each thread streams through: beyond the caches of its core.
    private let streamBytes: Int

    /// - Parameters:
    ///   - threads: the most that will run.
    ///   - memoryBytes: the machine's; at most an eighth of it is streamed through.
    package init(threads: Int, memoryBytes: Int64) {
        streamBytes = Int(max(1 << 20, min(32 << 20, memoryBytes / 8 / Int64(max(1, threads)))))
    }

    deinit { halt() }

    /// Keeps `cpus` CPUs busy from now on: whole ones all the time, the rest one for that part of the time.
    ///
    /// - Throws: if the system gives no more threads; then none runs.
    package func keepBusy(_ cpus: Double) throws(CalibrationError) {
        halt()
        var code: Int32 = 0
        state.withLock { state in
            state.stop = Stop()
            var left = cpus
            while left > 1e-9, code == 0 {
                var thread = pthread_t()
                let worker = Unmanaged.passRetained(Worker(duty: min(1, left), bytes: streamBytes, stop: state.stop))
                code = pthread_create(
                    &thread, nil,
                    { argument in
                        if let argument { Unmanaged<Worker>.fromOpaque(argument).takeRetainedValue().work() }
                        return nil
                    }, worker.toOpaque())
                if code == 0 { state.threads.append(thread) } else { worker.release() }
                left -= 1
            }
        }
        guard code != 0 else { return }
        halt()
        throw .failed(
            stage: "the load", message: "cannot start a thread: \(String(cString: strerror(code)))",
            advice: "raise the limit of processes (ulimit -u)")
    }

    var threadCount: Int { state.withLock { $0.threads.count } }

    /// CPU time of the threads that run now, in seconds.
    var cpuSeconds: Double {
        state.withLock { state in
            state.threads.reduce(0) { sum, thread in
                var clock = clockid_t()
                var time = timespec()
                guard pthread_getcpuclockid(thread, &clock) == 0, clock_gettime(clock, &time) == 0 else { return sum }
                return sum + Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
            }
        }
    }

    private func halt() {
        let threads = state.withLock { state in
            state.stop.isSet.store(true, ordering: .relaxed)
            defer { state.threads = [] }
            return state.threads
        }
        for thread in threads { pthread_join(thread, nil) }
    }

    /// One thread's work.
    private final class Worker {
        private let duty: Double
        private let stop: Stop
        private var stream: [Double]
        private var mix = MixedWork()

        init(duty: Double, bytes: Int, stop: Stop) {
            self.duty = duty
            self.stop = stop
            stream = [Double](repeating: 1, count: bytes / MemoryLayout<Double>.stride)
        }

        func work() {
            let start = SystemClock.monotonicNanoseconds()
            let before = SystemClock.threadNanoseconds()
            while !stop.isSet.load(ordering: .relaxed) {
                for _ in 0..<LoadGenerator.slices { mix.slice(&stream) }
                guard duty < 1 else { continue }
                // By CPU time, not by the clock: a thread that had to wait for its CPU has not worked.
                let due = Double(SystemClock.threadNanoseconds() - before) / duty
                let ahead = due - Double(SystemClock.monotonicNanoseconds() - start)
                if ahead > 0 { usleep(UInt32(min(1e6, ahead / 1e3))) }
            }
        }
    }
}

/// Turns of about a millisecond of integer, floating-point and memory work.
struct MixedWork {
    private var turn = 0
    private var position = 0
    private var integer: UInt64 = 0x9E37_79B9_7F4A_7C15
    private var number = 1.0

    /// Nothing computed here is wanted; it is kept so that the compiler cannot leave the work out.
    mutating func slice(_ stream: inout [Double]) {
        turn = (turn + 1) % 3
        switch turn {
        case 0:
            for _ in 0..<200_000 {
                integer ^= integer << 13
                integer ^= integer >> 7
                integer ^= integer << 17
            }
        case 1:
            var lanes = SIMD8<Double>(repeating: number)
            for _ in 0..<100_000 { lanes = lanes * 0.999_999 + 0.000_001 }
            number = lanes.sum() / 8
        default:
            let end = min(stream.count, position + 64 * 1024)
            for index in position..<end { stream[index] += number }
            position = end == stream.count ? 0 : end
        }
    }
}
