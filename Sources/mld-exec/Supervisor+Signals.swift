import CLinux
import Glibc

extension Supervisor {
    mutating func setUpSignals() throws(Failure) {
        for number in [SIGHUP, SIGINT, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2] { signal(number, SIG_IGN) }
        sigemptyset(&handled)
        for number in [SIGCHLD, SIGTERM, SIGQUIT, mld_job_state_signal()] { sigaddset(&handled, number) }
        sigprocmask(SIG_SETMASK, &handled, nil)
        signals = mld_signal_descriptor(&handled)
        guard signals >= 0 else { throw Failure("signalfd") }
    }

    /// Waits for a signal, for output, or until something is due, and takes what there is.
    mutating func wait(upTo seconds: Double?) {
        var watched = ([signals] + (output?.descriptors ?? [])).map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        // Rounded up: a wait that ends a moment early would be followed by one of nothing.
        let milliseconds = seconds.map { Int32(min(($0 * 1000).rounded(.up), 1e9)) } ?? -1
        guard poll(&watched, nfds_t(watched.count), milliseconds) > 0 else { return }
        if watched.dropFirst().contains(where: { $0.revents != 0 }) { output?.drain() }
        if watched[0].revents != 0 { takeSignals() }
    }

    private mutating func takeSignals() {
        var value: Int32 = 0
        while true {
            switch mld_take_signal(&handled, &value) {
            case SIGTERM: endUnlessOver()
            case SIGQUIT:
                endUnlessOver()
                if ending != nil {
                    termSent = true
                    killAt = 0
                }
            case mld_job_state_signal(): stand(value)
            case -1 where errno != EINTR: return
            default: break
            }
        }
    }

    private mutating func stand(_ state: Int32) {
        switch UInt32(bitPattern: state) {
        case MLD_JOB_FROZEN.rawValue: if ending == nil { freeze() }
        case MLD_JOB_RUNS.rawValue: thaw()
        default: break
        }
    }

    /// A job that ended by itself just before it was asked to is not a stopped job.
    private mutating func endUnlessOver() {
        reap()
        if mainStatus == nil { end(.stopped) }
    }
}
