import Logging
import JobAPI
import Ledger
import LinuxSystem
import Policy
import Sandbox
import Scheduling
import Units

extension JobController {
    /// Starts a job the scheduler chose: first on disk, then as processes.
    func start(_ id: JobID) async {
        guard let job = live[id], job.state == .queued, job.cancelledBy == nil else {
            scheduler.ended(id)
            return
        }
        live[id]?.state = .starting
        do {
            // First what may want for space: a job whose files have no room yet waits, and has not begun.
            try directory(id).create(owner: (job.uid, job.gid), spec: job.spec, attempt: job.attempt + 1)
        } catch let error as DaemonError where error.isTransient {
            return await stayQueued(id, job, "\(error)")
        } catch {
            return failToStart(id, "\(error)")
        }
        do {
            let now = Timestamp.now()
            guard let attempt = try await ledger.beginAttempt(id, bootID: bootID, at: now) else {
                throw APIError(.conflict, "job \(id) is not queued any more")
            }
            live[id]?.attempt = attempt
            live[id]?.startedAt = now
        } catch {
            return await stayQueued(id, job, "\(error)")
        }
        await publishState(id)
        await launch(id)
    }

    /// Nothing was started: the job stays queued, and is tried again: the cause passes by itself.
    private func stayQueued(_ id: JobID, _ job: LiveJob, _ problem: String) async {
        logger.error("cannot start: \(problem)", metadata: ["job": "\(id)"])
        live[id]?.state = .queued
        scheduler.ended(id)
        if let user = live[id]?.cancelledBy {
            return finishLater(id, Outcome(state: .cancelled, cause: "cancelled by \(user)", end: nil))
        }
        scheduler.add(job.pending)
        retryLater()
    }

    /// Tries the queue again after a pause, for causes that pass by themselves.
    private func retryLater() { wakeUp(at: Timestamp.now().advanced(by: .seconds(5))) }

    private func launch(_ id: JobID) async {
        guard let job = live[id] else { return }
        let directory = directory(id)
        await meter.begin([
            .init(
                id: id, attempt: job.attempt, reservedCPUs: Double(job.spec.resources.cpus),
                reservedMemoryBytes: job.spec.resources.memory.bytes, cpuSeconds: { _ in 0 })
        ])
        do {
            let started = try launcher.start(launch(of: job, in: directory), profile: profile(of: job, in: directory))
            await meter.attach(id, started, cpuSeconds: launcher.cpuClock(of: started))
            live[id]?.process = started
            live[id]?.events = TrainingEvents(path: directory.events(job.attempt))
            live[id]?.state = .running
            watch(id, started)
            try await ledger.recordProcess(
                id, attempt: job.attempt, pid: started.supervisorPID, startTime: started.startTime,
                cgroup: started.cgroupPath, enforced: started.enforced + started.notEnforced.map { "not: " + $0 },
                at: .now())
            logger.info("started", metadata: ["job": "\(id)", "pid": "\(started.supervisorPID)"])
        } catch let error as SandboxError {
            await meter.end(id, finalCPU: 0)
            return error.isTransient ? startLater(id, "\(error)") : failToStart(id, "\(error)")
        } catch {
            // It runs; only the note of its process is missing, which its end will show again.
            logger.error("\(error)", metadata: ["job": "\(id)"])
        }
        await publishState(id)
        // Someone cancelled it while it was being started.
        if live[id]?.cancelledBy != nil, let process = live[id]?.process { stop(id, process) }
    }

    /// Descriptors, memory or room were used up: nothing was started, and it is tried again, less and less often.
    private func startLater(_ id: JobID, _ problem: String) {
        let tries = (live[id]?.failedStarts ?? 0) + 1
        live[id]?.failedStarts = tries
        logger.error("cannot start: \(problem)", metadata: ["job": "\(id)"])
        queueAgainLater(
            id, "could not be started, to be tried again: \(problem)",
            retryAt: Timestamp.now().advanced(by: .seconds(min(5 * (1 << min(tries - 1, 6)), 300))))
    }

    private func failToStart(_ id: JobID, _ cause: String) {
        // In a task of its own: writing it down may have to wait for the disk, and other jobs must not wait for that.
        finishLater(id, Outcome(state: .failed, cause: "could not start: " + cause, end: nil))
    }

    // MARK: - What to run

    func cgroupName(_ id: JobID, attempt: Int) -> String { "\(state.instance)-\(id)-\(attempt)" }

    private func launch(of job: LiveJob, in directory: JobDirectory) -> Launch {
        var environment = job.spec.command?.env ?? [:]
        environment["MLD_JOB_ID"] = "\(job.id)"
        environment["MLD_ATTEMPT"] = "\(job.attempt)"
        environment["MLD_OUTPUT_DIR"] = directory.output
        // The training core shares a step out among threads of its own.
        if job.spec.train != nil { environment["OPENBLAS_NUM_THREADS"] = "1" }
        let argv =
            job.spec.command?.argv ?? [
                settings.programs + "/mltrain", "fit", directory.spec, "--output", directory.output + "/model",
                "--threads", "\(job.spec.resources.cpus)",
            ]
        let user = User.lookup(uid: job.uid, gid: job.gid)
        return Launch(
            argv: argv, environment: environment, stdoutPath: directory.stdout,
            stderrPath: directory.stderr, eventsPath: directory.events(job.attempt),
            exitRecordPath: directory.exitRecord(job.attempt), timeLimitSeconds: job.timeLimit, graceSeconds: 10,
            cgroupName: cgroupName(job.id, attempt: job.attempt),
            runAs: settings.isSystemMode ? Launch.User(uid: job.uid, gid: job.gid, groups: user.groups) : nil)
    }

    private func profile(of job: LiveJob, in directory: JobDirectory) -> Sandbox.SandboxProfile {
        let rules =
            policy.queue(job.queue).flatMap { policy.sandbox($0.sandbox.value) } ?? PolicySet.builtIn.sandboxes[0]
        let request = job.spec.sandbox
        let readOnly = request.readOnly + (job.spec.train?.dataPaths ?? []).map(\.path)
        return Sandbox.SandboxProfile(
            workdir: request.workdir ?? directory.output, network: request.network && rules.network.value,
            readOnly: readOnly, readWrite: request.readWrite,
            // The libraries mltrain needs the launcher shows to every job.
            programs: job.spec.train == nil ? [] : [directory.spec, settings.programs],
            memoryLimit: job.spec.resources.memory.bytes, cpus: job.spec.resources.cpus,
            maxProcesses: rules.maxProcesses.value, maxFileSize: rules.maxFileSize.value?.bytes,
            hidden: [state.path, settings.socket], outputDirectory: directory.output,
            requirement: rules.require.value == .full ? .full : .bestEffort)
    }
}
