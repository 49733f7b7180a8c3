import Glibc
import JobAPI
import Ledger
import LinuxSystem
import Logging
import Policy
import Sandbox
import Scheduling
import Units

extension JobController {
    /// Asks the scheduler, and keeps what it gives to the jobs it chose; each is then started by a task of its own.
    func startWhatFits() async {
        noticeClockChange()
        resumeOverdue(now: .now())
        await lookAtPower()
        await lookAtCards()
        await keepFigures()
        scheduler.adopt(conditions: conditions)
        let plan = scheduler.plan(now: .now())
        if let wake = plan.wakeAt { wakeUp(at: wake) }
        shift(by: plan)
        obey(plan)
        keepCaps()
        await keepPowerLimits()
        guard !plan.starts.isEmpty else { return await makeRoom(for: plan) }
        // Who is first then, and what is free, the next plan tells.
        if plan.blocked != nil, policy.queues.contains(where: { !$0.preempts.value.isEmpty }) { requestPlan() }
        do {
            let (jobs, unreadable) = try await ledger.jobs(numbered: plan.starts)
            for (id, problem) in unreadable { setHeld(id, note: "its description cannot be read: \(problem)") }
            for stored in jobs {
                // Whatever memory was told: what is on disk was answered for.
                if stored.record.state == .queued, stored.holder != nil {
                    setHeld(stored.record.id, note: stored.record.reason)
                    continue
                }
                // It may have been cancelled or held while it was read.
                guard let job = scheduler.pendingJob(stored.record.id), job.isFree, stored.record.state == .queued,
                    var active = scheduler.starting(job.id, at: .now())
                else { continue }
                if active.shift == nil { active.predictedEnd = predictedEnd(of: stored, from: active.startedAt) }
                // Without CPUs of its own a job can run, without its GPUs it cannot.
                guard scheduler.canHave(active) else {
                    requestPlan()
                    continue
                }
                var placement = choosePlacement(for: active.request, on: active.cards)
                placement?.give(shared: active.request.card.isShared)
                allot(active, placement)
                // When it is to be suspended is known only now.
                if active.shift != nil { requestPlan() }
                live[job.id] = LiveJob(stored, on: machine, account: job.account)
                live[job.id]?.pending = job
                live[job.id]?.state = .starting
                startLater(stored)
            }
        } catch {
            logger.error("cannot read what to start: \(error)")
            retryLater()
        }
    }

    /// Starts a job the scheduler chose: first on disk, then as processes.
    func start(_ stored: StoredJob) async {
        let id = stored.record.id
        guard let job = live[id], job.cancelledBy == nil else { return await stayQueued(id, nil) }
        do {
            // First what may want for space: a job whose files have no room yet waits, and has not begun.
            try await makeDirectory(of: job)
        } catch let error as DaemonError where error.isTransient {
            return await stayQueued(id, "\(error)")
        } catch {
            return failToStart(id, "\(error)")
        }
        do {
            let now = Timestamp.now()
            guard
                let attempt = try await ledger.beginAttempt(
                    id, bootID: bootID, placement: placements[id], at: now)
            else {
                throw APIError(.conflict, "job \(id) is not queued any more, or is held")
            }
            live[id]?.attempt = attempt
            live[id]?.startedAt = now
        } catch {
            return await stayQueued(id, "\(error)")
        }
        await publishState(id)
        await launch(id)
    }

    /// Apart from the actor: files take their time.
    private nonisolated func makeDirectory(of job: LiveJob) async throws {
        try await directory(job.id).create(spec: job.spec, attempt: job.attempt + 1)
    }

    /// Nothing was started: the job stays queued, and is tried again: the cause passes by itself.
    private func stayQueued(_ id: JobID, _ problem: String?) async {
        if let problem { logger.error("cannot start: \(problem)", metadata: ["job": "\(id)"]) }
        letGo(id)
        guard let job = live.removeValue(forKey: id) else { return }
        if let user = job.cancelledBy {
            let outcome = Outcome(state: .cancelled, cause: "cancelled by \(user)", end: nil)
            return finishLater(id, outcome, in: job.array)
        }
        var pending = job.pending
        if let problem {
            // Whoever asks why it waits is told. No time is set for it: the clock may be wrong.
            pending.notBefore = nil
            pending.note = "could not be started, to be tried again: \(problem)"
        }
        scheduler.add(pending)
        retryLater()
    }

    /// Tries the queue again after a pause, for causes that pass by themselves.
    private func retryLater() { wakeUp(at: Timestamp.now().advanced(by: Self.startPause)) }

    private static let startPause = Duration.seconds(5)
    /// About an hour and a half of trying.
    private static let mostStartTries = 20

    private func launch(_ id: JobID) async {
        guard let job = live[id] else { return }
        let directory = directory(id)
        await meter.begin([
            .init(
                id: id, attempt: job.attempt, reservedCPUs: Double(job.spec.resources.cpus),
                reservedMemoryBytes: job.spec.resources.memory.bytes, gpus: gpuHold(id), cpuSeconds: { _ in 0 })
        ])
        let power = await limitPower(of: id)
        do {
            var started = try await spawn(
                launch(of: job, in: directory), profile: profile(of: job, in: directory), for: job.uid)
            if placements[id]?.cpus.isEmpty ?? true {
                started.notEnforced.append("CPUs of its own: none could be chosen")
            }
            started.enforced += power.enforced
            started.notEnforced += power.notEnforced
            await meter.attach(id, started, cpuSeconds: launcher.cpuClock(of: started))
            live[id]?.process = started
            live[id]?.events = TrainingEvents(path: directory.events(job.attempt))
            live[id]?.state = .running
            watch(id, started)
            // Rules may have changed their mind while it was being started.
            if policy.bindsRunningJobs || limitsPower { requestPlan() }
            // Someone wanted it to end while it was being started.
            if live[id]?.cancelledBy != nil || live[id]?.requeuedBy != nil { stop(id, started) }
            try await ledger.recordProcess(
                id, attempt: job.attempt, pid: started.supervisorPID, startTime: started.startTime,
                cgroup: started.cgroupPath, enforced: started.enforced + started.notEnforced.map { "not: " + $0 },
                at: .now())
            await notePowerLimit(id)
            logger.debug("started", metadata: ["job": "\(id)", "pid": "\(started.supervisorPID)"])
        } catch let error as SandboxError {
            await meter.end(id, finalCPU: 0)
            return error.isTransient ? startAgainLater(id, "\(error)") : failToStart(id, "\(error)")
        } catch {
            // It runs; only the note of its process is missing, which its end will show again.
            logger.error("\(error)", metadata: ["job": "\(id)"])
        }
        await publishState(id)
    }

    /// Apart from the actor: making processes takes milliseconds, and following paths as long as its user makes it take.
    private nonisolated func spawn(
        _ launch: Launch, profile: Sandbox.SandboxProfile, for uid: UInt32
    ) async throws -> Started {
        let resolved = try await resolve(profile, runAs: launch.runAs, for: uid).get()
        return try launcher.start(launch, profile: profile, resolved: resolved)
    }

    /// Apart from the actor, and from all other users: see ``UserQueues``.
    nonisolated func resolve(
        _ profile: Sandbox.SandboxProfile, runAs: Launch.User?, for uid: UInt32
    ) async -> Result<ResolvedProfile, SandboxError> {
        let launcher = launcher
        return await userQueues.run(for: uid) {
            Result { () throws(SandboxError) in try launcher.resolve(profile, runAs: runAs) }
        }
    }

    /// Descriptors, memory or room were used up: nothing was started, and it is tried again, less and less often.
    func startAgainLater(_ id: JobID, _ problem: String) {
        let tries = failedStarts[id, default: 0] + 1
        failedStarts[id] = tries
        logger.error("cannot start: \(problem)", metadata: ["job": "\(id)"])
        guard tries < Self.mostStartTries else { return failToStart(id, "\(problem), \(tries) times in a row") }
        queueAgainLater(
            id,
            Ledger.Requeue(
                cause: "could not be started, to be tried again: \(problem)", attempt: "not-started",
                notBefore: Timestamp.now().advanced(by: .seconds(min(5 * (1 << min(tries - 1, 6)), 300)))))
    }

    private func failToStart(_ id: JobID, _ cause: String) {
        // In a task of its own: writing it down may have to wait for the disk, and other jobs must not wait for that.
        finishLater(id, Outcome(state: .failed, cause: "could not start: " + cause, end: nil))
    }

    // MARK: - What to run

    func cgroupName(_ id: JobID, attempt: Int) -> String { "\(state.instance)-\(id)-\(attempt)" }

    private func launch(of job: LiveJob, in directory: JobDirectory) -> Launch {
        // A job may name fewer GPUs than it was granted; others do not open.
        var environment = gpuVariables(job.id).merging(job.spec.command?.env ?? [:]) { $1 }
        environment["MLD_JOB_ID"] = "\(job.id)"
        environment["MLD_ATTEMPT"] = "\(job.attempt)"
        if let array = job.array {
            environment["MLD_ARRAY_ID"] = "\(array.id)"
            environment["MLD_ARRAY_INDEX"] = "\(array.index)"
        }
        environment["MLD_OUTPUT_DIR"] = directory.output
        // The training core shares a step out among threads of its own.
        if job.spec.train != nil { environment["OPENBLAS_NUM_THREADS"] = "1" }
        let argv =
            job.spec.command?.argv ?? [
                settings.programs + "/mltrain", "fit", directory.spec, "--output", directory.output + "/model",
                "--threads", "\(job.spec.resources.cpus)",
            ]
        let user = User.lookup(uid: job.uid, gid: job.gid)
        var launch = Launch(
            argv: argv, environment: environment, stdoutPath: directory.stdout,
            stderrPath: directory.stderr, eventsPath: directory.events(job.attempt),
            exitRecordPath: directory.exitRecord(job.attempt), timeLimitSeconds: job.timeLimit, graceSeconds: 10,
            cgroupName: cgroupName(job.id, attempt: job.attempt),
            runAs: settings.isSystemMode ? Launch.User(uid: job.uid, gid: job.gid, groups: user.groups) : nil)
        launch.given = directory.given(job.spec)
        launch.warnBeforeSeconds = job.spec.schedule.warnBefore
        launch.warnSignal = job.spec.schedule.warnSignal?.number
        launch.logLimitBytes = sandboxRules(ofQueue: job.queue).maxLogSize.value.bytes
        return launch
    }
}

extension JobSignal {
    fileprivate var number: Int32 {
        switch self {
        case .hup: SIGHUP
        case .int: SIGINT
        case .quit: SIGQUIT
        case .usr1: SIGUSR1
        case .usr2: SIGUSR2
        case .term: SIGTERM
        }
    }
}
