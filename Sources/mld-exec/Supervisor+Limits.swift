import Glibc

extension Supervisor {
    /// What is due by now: the warning, the limits, the term that waited for the job's start, the kill.
    mutating func advance() {
        if ending == nil {
            holdTimeLimit()
            holdMemoryLimit()
        }
        guard ending != nil else { return }
        if !termSent {
            status.update()
            // Inside a sandbox still being built nobody would hear it.
            if !options.wrapped || status.started {
                ProcessTree.signal(SIGTERM, except: options.wrapped ? main : 0)
                termSent = true
            }
        }
        if let killAt, Clock.monotonic() >= killAt { killTree() }
    }

    /// Seconds until something is due; nil if only a signal or output can change anything.
    var pause: Double? {
        if ending != nil {
            if !termSent { return 0.01 }
            return killAt.map { max(0.01, $0 - Clock.monotonic()) }
        }
        let look = memory.map(\.pause)
        guard let limit = options.timeLimit, !clock.isPaused else { return look }
        let left = limit - (isWarned ? 0 : options.warning) - clock.seconds
        // A warning that is overdue waits for the job's start.
        let next = left > 0 || isWarned ? max(0.001, left) : 0.01
        return min(next, look ?? next)
    }

    private mutating func holdTimeLimit() {
        guard let limit = options.timeLimit else { return }
        let spent = clock.seconds
        if !isWarned, spent >= limit - options.warning {
            status.update()
            // Inside a sandbox still being built nobody would hear it.
            if !options.wrapped || status.started {
                isWarned = true
                if spent < limit { warn(left: min(options.warning, limit - spent), limit: limit) }
            }
        }
        if spent >= limit { end(.timeLimit) }
    }

    private mutating func warn(left: Double, limit: Double) {
        // What was due at a whole time is told as that, however long it took us to wake.
        let left = options.warning - left < 1 ? options.warning : left
        output?.note(
            "\(Clock.words(left)) left of the time limit of \(Clock.words(limit)); SIGTERM then, SIGKILL "
                + "\(Clock.words(options.grace)) later")
        guard let number = options.warnSignal else { return }
        ProcessTree.signal(number, except: options.wrapped ? main : 0)
        warnSignal = number
    }

    private mutating func holdMemoryLimit() {
        guard let used = memory?.excess(cgroup: cgroup), let limit = memory?.limit else { return }
        output?.note("killed: the job used \(used) of \(limit) bytes of memory")
        end(.outOfMemory)
        // It has no say in this, as it has none where the kernel does it.
        termSent = true
        killAt = 0
    }
}
