import CLinux
import Glibc

/// Work that a ``BackgroundLoop`` does over and over.
package protocol BackgroundWork: Sendable {
    /// Once. Must come to an end soon when `stop` is given.
    mutating func run(until stop: BackgroundLoop.Stop)
}

/// A thread that does one thing over and over and sleeps in between, until its owner lets go of it.
///
/// For work that blocks: Swift's own threads are as few as the CPUs and must not wait.
package final class BackgroundLoop: Sendable {
    /// The sign to stop, to wait for beside other things. The loop and its thread hold it both, so that a sign given to a
    /// thread that has ended finds a pipe with a reader.
    package final class Stop: Sendable {
        let reader: Descriptor
        private let writer: Descriptor

        fileprivate init() throws(LinuxError) {
            var ends: [Int32] = [0, 0]
            guard mld_pipe(&ends) == 0 else { throw LinuxError("pipe") }
            reader = Descriptor(owning: ends[0])
            writer = Descriptor(owning: ends[1])
        }

        fileprivate func give() {
            if isGiven(within: 0) { return }
            // A byte, and not the end of the pipe: a process that is started right now holds a copy of it. A pipe takes its
            // first byte without fail.
            var byte: UInt8 = 0
            _ = write(writer.raw, &byte, 1)
        }

        /// Waits for the sign; true once it was given. It stays given.
        package func isGiven(within seconds: Double) -> Bool {
            var wait = pollfd(fd: reader.raw, events: Int16(POLLIN), revents: 0)
            // An interruption counts as the time being over: all signals are blocked here.
            return poll(&wait, 1, Int32(max(0, min(seconds, 3600)) * 1000)) > 0
        }
    }

    /// What the thread takes over when it starts.
    private final class Cargo<Work: BackgroundWork> {
        let stop: Stop
        let pause: Double
        var work: Work

        init(_ work: Work, pause: Double, stop: Stop) {
            self.stop = stop
            self.pause = pause
            self.work = work
        }

        func run() {
            while !stop.isGiven(within: 0) {
                work.run(until: stop)
                if stop.isGiven(within: pause) { return }
            }
        }
    }

    /// A box of a generic kind cannot be named in a C function, so it is held as something that runs.
    private final class Entry {
        let run: () -> Void

        init(_ run: @escaping () -> Void) {
            self.run = run
        }
    }

    private let sign: Stop
    private let thread: pthread_t

    /// - Parameter pause: seconds between the end of one round and the start of the next.
    package init(pause: Double, _ work: some BackgroundWork) throws(LinuxError) {
        sign = try Stop()
        let cargo = Cargo(work, pause: pause, stop: sign)
        let entry = Unmanaged.passRetained(Entry { cargo.run() })
        // The program's signals are for its other threads: this one inherits a mask without any.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, Self.start, entry.toOpaque())
        pthread_sigmask(SIG_SETMASK, &before, nil)
        guard code == 0 else {
            entry.release()
            throw LinuxError("pthread_create", code: code)
        }
        self.thread = thread
    }

    private static let start: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { entry in
        if let entry { Unmanaged<Entry>.fromOpaque(entry).takeRetainedValue().run() }
        return nil
    }

    /// Lets the thread end, without waiting for it.
    package func stop() { sign.give() }

    /// Returns when the thread has ended.
    deinit {
        stop()
        pthread_join(thread, nil)
    }
}
