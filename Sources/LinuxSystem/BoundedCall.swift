import CLinux
import Glibc
import Synchronization

/// One call that may never come back, such as a driver's, on a thread of its own: whoever asked waits only as long as it will.
///
/// The thread is left behind if the call hangs; there is no way to end it. So the owner must not start another before this one
/// is over.
package final class BoundedCall<Answer: Sendable>: Sendable {
    /// What the thread and the owner share; the last of them to go closes the pipe.
    private final class Exchange: Sendable {
        let answer = Mutex<Answer?>(nil)
        let reader: Descriptor
        let writer: Descriptor

        init() throws(LinuxError) {
            var ends: [Int32] = [0, 0]
            guard mld_pipe(&ends) == 0 else { throw LinuxError("pipe") }
            reader = Descriptor(owning: ends[0])
            writer = Descriptor(owning: ends[1])
        }
    }

    private let exchange: Exchange

    /// Starts the call.
    package init(_ body: @escaping @Sendable () -> Answer) throws(LinuxError) {
        let exchange = try Exchange()
        self.exchange = exchange
        let entry = Unmanaged.passRetained(
            CallEntry {
                let answer = body()
                exchange.answer.withLock { $0 = answer }
                // A byte, and not the end of the pipe: a process that is started right now holds a copy of it.
                var byte: UInt8 = 0
                _ = write(exchange.writer.raw, &byte, 1)
            })
        // The program's signals are for its other threads: this one inherits a mask without any.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, CallEntry.start, entry.toOpaque())
        pthread_sigmask(SIG_SETMASK, &before, nil)
        guard code == 0 else {
            entry.release()
            throw LinuxError("pthread_create", code: code)
        }
        pthread_detach(thread)
    }

    /// What the call gave; nil if it is not over after so many seconds.
    package func answer(within seconds: Double) -> Answer? {
        let end = SystemClock.monotonicNanoseconds() + Int64(max(0, min(seconds, 3600)) * 1e9)
        while true {
            if let answer = exchange.answer.withLock({ $0 }) { return answer }
            let left = end - SystemClock.monotonicNanoseconds()
            guard left > 0 else { return nil }
            var wait = pollfd(fd: exchange.reader.raw, events: Int16(POLLIN), revents: 0)
            // A signal may end it early; then it waits again.
            _ = poll(&wait, 1, Int32((left + 999_999) / 1_000_000))
        }
    }
}

/// What the thread takes over when it starts. A generic kind cannot be named in a C function, so it stands outside.
private final class CallEntry {
    private let run: () -> Void

    init(_ run: @escaping () -> Void) {
        self.run = run
    }

    static let start: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { entry in
        if let entry { Unmanaged<CallEntry>.fromOpaque(entry).takeRetainedValue().run() }
        return nil
    }
}
