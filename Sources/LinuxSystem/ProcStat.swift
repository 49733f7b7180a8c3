import Glibc

/// CPU time of the whole machine since it started, from the first lines of `/proc/stat`.
///
/// The times are summed over all online CPUs, in seconds with the kernel's resolution of 1/USER_HZ (10 ms).
package struct ProcStat: Sendable, Hashable {
    /// User, nice, system and interrupt time. Guests' time is part of the user time.
    package var busySeconds: Double
    /// Includes the time in which only disks were waited for.
    package var idleSeconds: Double
    package var iowaitSeconds: Double
    /// Time in which a virtual CPU wanted to run and the host ran another: not spent by this machine.
    package var stealSeconds: Double
    /// The online CPUs the times are summed over.
    package var cpus: Int

    package init(
        busySeconds: Double, idleSeconds: Double, iowaitSeconds: Double, stealSeconds: Double, cpus: Int
    ) {
        self.busySeconds = busySeconds
        self.idleSeconds = idleSeconds
        self.iowaitSeconds = iowaitSeconds
        self.stealSeconds = stealSeconds
        self.cpus = cpus
    }

    package init(roots: SystemRoots) throws(SystemFileError) {
        let path = roots.procfs + "/stat"
        // The CPU lines come first; the rest (one number per interrupt) is long on large machines and not needed.
        try self.init(parsing: SystemFile.firstLines(path, limit: 256 * 1024), path: path)
    }

    package init(parsing text: String, path: String) throws(SystemFileError) {
        var total: [UInt64] = []
        var cpus = 0
        for line in text.split(separator: "\n") {
            guard line.hasPrefix("cpu") else { break }
            let words = line.split(separator: " ")
            if words[0] == "cpu" {
                total = words.dropFirst().prefix(8).map { UInt64($0) ?? .max }
            } else {
                cpus += 1
            }
        }
        // The limit is 58,000 years of one CPU; it keeps the sums far from overflow.
        guard total.count >= 4, total.allSatisfy({ $0 < 1 << 48 }), cpus > 0 else {
            throw SystemFileError(.garbage, path: path, message: "no \"cpu\" lines with the times of the machine")
        }
        total += Array(repeating: 0, count: 8 - total.count)
        let second = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
        self.init(
            busySeconds: Double(total[0] + total[1] + total[2] + total[5] + total[6]) / second,
            idleSeconds: Double(total[3] + total[4]) / second,
            iowaitSeconds: Double(total[4]) / second, stealSeconds: Double(total[7]) / second, cpus: cpus)
    }
}

/// CPU time this process has used.
package enum OwnCPUTime {
    /// Seconds since the process started. With a replaced procfs the figure is that tree's `self/stat`, so that it agrees
    /// with the tree's machine; otherwise the kernel's clock, which is finer.
    package static func seconds(roots: SystemRoots) throws(SystemFileError) -> Double {
        if roots.procfs == SystemRoots().procfs { return Double(SystemClock.read(CLOCK_PROCESS_CPUTIME_ID)) / 1e9 }
        let path = roots.procfs + "/self/stat"
        let text = try SystemFile.text(path)
        // The second field is the command in brackets and may itself hold spaces and brackets.
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        guard text.contains(")"), fields.count > 12, let user = UInt64(fields[11]), let system = UInt64(fields[12]),
            user < 1 << 48, system < 1 << 48
        else {
            throw SystemFileError(.garbage, path: path, message: "not the status line of a process")
        }
        return Double(user + system) / Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
    }
}

package enum SystemClock {
    /// Nanoseconds of the clock that never steps; it stands still while the machine sleeps.
    package static func monotonicNanoseconds() -> Int64 { read(CLOCK_MONOTONIC) }

    /// Nanoseconds since the machine's boot by a clock that never steps and goes on while the machine sleeps.
    package static func bootNanoseconds() -> Int64 { read(CLOCK_BOOTTIME) }

    /// CPU time of the calling thread.
    package static func threadNanoseconds() -> Int64 { read(CLOCK_THREAD_CPUTIME_ID) }

    static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
