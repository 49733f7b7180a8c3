import Glibc
import Synchronization

/// SIGTERM and SIGINT as a flag that the trainer looks at after each step.
///
/// The signals are blocked in every thread and taken by one that waits for them, so no handler interrupts anything.
package final class StopSignal: Sendable {
    private let received = Atomic<Int32>(0)
    private let asks = Atomic<Bool>(false)

    /// To be made before any other thread.
    package init() throws(TrainingError) {
        signal(SIGPIPE, SIG_IGN)
        var signals = StopSignal.signals
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<StopSignal>.fromOpaque(argument).takeRetainedValue().listen() }
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        guard status == 0 else {
            throw TrainingError(.start, "cannot start a thread: \(String(cString: strerror(status)))")
        }
        pthread_detach(thread)
    }

    /// The signal that came, or nil.
    package var number: Int32? {
        let number = received.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// From now on a signal waits for its answer. Before, while data are read, it ends the program at once: there is
    /// nothing to lose yet.
    package func isToBeAsked() { asks.store(true, ordering: .sequentiallyConsistent) }

    private func listen() {
        var signals = StopSignal.signals
        while true {
            var number: Int32 = 0
            guard sigwait(&signals, &number) == 0 else { continue }
            // A second request means it: whoever asks has waited long enough.
            if received.exchange(number, ordering: .sequentiallyConsistent) != 0 { _exit(128 + number) }
            if !asks.load(ordering: .sequentiallyConsistent) {
                let message = "mltrain: stopped on request before training began\n"
                _ = message.withCString { write(STDERR_FILENO, $0, message.utf8.count) }
                _exit(128 + number)
            }
        }
    }

    private static var signals: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        return set
    }
}
