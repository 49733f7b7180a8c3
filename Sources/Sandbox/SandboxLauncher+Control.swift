import CLinux
// A dispatch source may be cancelled from any thread; its type does not say so.
@preconcurrency import Dispatch
import Glibc
package import LinuxSystem

extension SandboxLauncher {
    /// True while the supervisor lives: until it has written the exit record and nothing of the job is left.
    package func isAlive(_ started: Started) -> Bool {
        processes.isAlive(started.supervisorPID, startTime: started.startTime)
    }

    /// SIGTERM to the job's processes, SIGKILL after its grace time. Returns at once; false if the job has ended.
    @discardableResult
    package func stop(_ started: Started) throws(SandboxError) -> Bool { try signal(SIGTERM, to: started) }

    /// SIGKILL to everything in the job now. False if the job has ended.
    @discardableResult
    package func kill(_ started: Started) throws(SandboxError) -> Bool { try signal(SIGQUIT, to: started) }

    /// Stops the job's processes where they are; time they spend so does not count against their limit.
    @discardableResult
    package func freeze(_ started: Started) throws(SandboxError) -> Bool { try ask(MLD_JOB_FROZEN, of: started) }

    @discardableResult
    package func thaw(_ started: Started) throws(SandboxError) -> Bool { try ask(MLD_JOB_RUNS, of: started) }

    /// Whether the kernel has frozen every process of the job; nil where there is no cgroup to tell.
    package func isFrozen(_ started: Started) -> Bool? {
        started.cgroupPath.map { Cgroup(path: $0).child("job").isFrozen }
    }

    /// CPU seconds of the job so far, its supervisor included. From the cgroup, also after the job's end until
    /// ``cleanUp(_:)``; without a cgroup from its living processes (steps of 10 ms), and nil once it has ended.
    /// - Parameter snapshot: of this moment; one for all jobs that are asked about.
    package func cpuSeconds(of started: Started, in snapshot: ProcessSnapshot = ProcessSnapshot()) -> Double? {
        if let path = started.cgroupPath {
            return (try? Cgroup(path: path).cpuMicroseconds()).map { Double($0) / 1e6 }
        }
        return snapshot.treeSeconds(of: started.supervisorPID, startTime: started.startTime)
    }

    /// A way to read ``cpuSeconds(of:in:)`` often.
    package func cpuClock(of started: Started) -> @Sendable (ProcessSnapshot) -> Double? {
        // Without a descriptor to spare it is read by name each time.
        guard let path = started.cgroupPath, let lease = clocks.take(),
            let clock = try? CgroupCPUClock(Cgroup(path: path), lease: lease)
        else { return { self.cpuSeconds(of: started, in: $0) } }
        return { _ in clock.microseconds().map { Double($0) / 1e6 } }
    }

    /// How many of the job's processes the kernel killed for want of memory; nil where it does not tell.
    package func outOfMemoryKills(in started: Started) -> UInt64? {
        started.cgroupPath.flatMap { Cgroup(path: $0).outOfMemoryKills }
    }

    /// Returns when the supervisor has ended, also one started by an earlier daemon, and reaps it if it is a child.
    /// Returns early if the task is cancelled.
    package func waitForExit(_ started: Started) async throws(SandboxError) {
        if let lease = watches.take() {
            // Given back when the wait is over, not at the last mention.
            defer { withExtendedLifetime(lease) {} }
            do throws(LinuxError) {
                let process = try Descriptor.process(started.supervisorPID)
                // The pid may be another's by now; what the descriptor holds is decided at this look.
                guard await isStillIts(started) else { return }
                await Self.readable(process.raw)
            } catch {
                if error.code == ESRCH { return }
                guard error.isTransient else { throw SandboxError("wait", error) }
                await Self.poll { self.isAlive(started) }
            }
        } else {
            await Self.poll { self.isAlive(started) }
        }
        guard await isStillIts(started) else { return }
        var status: Int32 = 0
        waitpid(started.supervisorPID, &status, WNOHANG)
    }

    /// Looks once a second, where there is no descriptor to wait for.
    private static func poll(while isGoing: () -> Bool) async {
        while !Task.isCancelled, isGoing() { try? await Task.sleep(for: .seconds(1)) }
    }

    /// Whether the supervisor's pid is its own, also once it has ended. Only what was read may say that it is another's: what is
    /// there and cannot be read now (no descriptor left) is looked at again.
    private func isStillIts(_ started: Started) async -> Bool {
        while !Task.isCancelled {
            if let status = processes.status(of: started.supervisorPID) { return status.startTime == started.startTime }
            guard isAlive(started) else { return false }
            try? await Task.sleep(for: .seconds(1))
        }
        return true
    }

    /// Ends what may be left of a job and removes its cgroup. Its CPU time must have been read before.
    package func cleanUp(_ started: Started) async throws(SandboxError) {
        guard let path = started.cgroupPath else { return }
        let cgroup = Cgroup(path: path)
        do throws(LinuxError) {
            for round in 0... {
                if cgroup.isPopulated { try cgroup.kill() }
                do throws(LinuxError) {
                    return try cgroup.remove()
                } catch {
                    // A process leaves its cgroup a moment after its end.
                    guard error.code == EBUSY, round < 200 else { throw error }
                }
                try? await Task.sleep(for: .milliseconds(5))
            }
        } catch {
            throw SandboxError("clean up", error)
        }
    }

    /// One signal for both states: of two signals that wait together the lower number is taken first, whichever was sent first.
    private func ask(_ state: mld_job_state, of started: Started) throws(SandboxError) -> Bool {
        try tell(started) { process throws(LinuxError) in
            try process.queue(mld_job_state_signal(), value: Int32(state.rawValue))
        }
    }

    private func signal(_ number: Int32, to started: Started) throws(SandboxError) -> Bool {
        try tell(started) { process throws(LinuxError) in try process.signal(number) }
    }

    /// - Returns: false if the supervisor has ended.
    private func tell(
        _ started: Started, _ send: (borrowing Descriptor) throws(LinuxError) -> Bool
    ) throws(SandboxError) -> Bool {
        do throws(LinuxError) {
            let process = try Descriptor.process(started.supervisorPID)
            guard isAlive(started) else { return false }
            return try send(process)
        } catch {
            if error.code == ESRCH { return false }
            throw SandboxError("signal", error)
        }
    }

    /// Suspends until the descriptor is readable or the task is cancelled. The caller keeps it open.
    private static func readable(_ descriptor: Int32) async {
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .global())
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                source.setEventHandler { source.cancel() }
                // Runs exactly once, when libdispatch has let go of the descriptor.
                source.setCancelHandler { continuation.resume() }
                source.activate()
            }
        } onCancel: {
            source.cancel()
        }
    }
}
