import Scheduling
import Logging
import JobAPI
import Ledger
import Policy
import Sandbox
import Units

extension JobController {
    /// Takes up every job that had not ended when the last daemon went: queued ones are queued again in their order, ones
    /// that run are adopted, ones that ended meanwhile are seen to their end.
    ///
    /// What runs is metered before anything is written: that may have to wait for the disk, and is left to the loop.
    func takeUp() async throws {
        let (unfinished, unreadable) = try await ledger.active()
        for (id, problem) in unreadable {
            logger.critical(
                "it was active, and is left as it is: what is written of it cannot be read: \(problem)",
                metadata: ["job": "\(id)"])
        }
        var found: [JobID: Remains] = [:]
        for stored in unfinished { found[stored.record.id] = look(for: stored) }
        if found.values.contains(.neverStarted) {
            // A process that was just being born does not bear its name yet.
            try await Task.sleep(for: .milliseconds(200))
            for stored in unfinished where found[stored.record.id] == .neverStarted {
                found[stored.record.id] = look(for: stored)
            }
        }
        await readHistory()
        await learnFigures()
        var adopted: [EnergyMeter.Tracked] = []
        var inOutage: [Outage.Job] = []
        for stored in unfinished {
            let job = LiveJob(
                stored, on: machine,
                account: policy.account(user: stored.record.user, project: stored.record.project))
            live[job.id] = job
            live[job.id]?.pending.flexibility = flexibility(of: stored)
            guard let remains = found[job.id] else { continue }
            know(uid: job.uid, gid: job.gid)
            let since = stored.record.state == .suspended ? try await ledger.suspendedSince(job.id) : nil
            hold(stored, suspendedSince: since)
            if let running = takeUp(stored, remains) { adopted.append(running) }
            if let absent = remains.inOutage(stored) { inOutage.append(absent) }
            if let since = stored.ownerSuspendedSince { bound(stored, since: since) }
        }
        // All at once: each reading is of all jobs.
        await meter.begin(adopted)
        await setApart()
        await meter.bookOutage(inOutage)
        await readShares()
        await readBudgets()
        try await takeUpWaiting()
        requestPlan()
    }

    private func takeUpWaiting() async throws {
        for job in try await ledger.waiting() {
            if let user = job.cancelledBy {
                let outcome = Outcome(state: .cancelled, cause: "cancelled by \(user)", end: nil)
                finishLater(job.id, outcome, in: job.array)
                continue
            }
            know(uid: job.uid, gid: job.uid)
            var pending = PendingJob(job, on: machine, account: policy.account(user: job.user, project: job.project))
            // Whoever wrote it may have had another clock.
            if pending.isPaused, let end = pending.notBefore, end.since(.now()) > Sequel.longestPause {
                pending.notBefore = nil
            }
            pending.flexibility = flexibility(job.leeway, likes: job.likes, timeLimit: job.timeLimit)
            scheduler.add(pending)
            waitForOthers(pending)
        }
    }

    /// Looks again for a job of which nobody could tell whether it runs, until that can be told.
    func lookAgain(for stored: StoredJob) async {
        var remains = Remains.unknown("")
        while case .unknown = remains {
            guard (try? await Task.sleep(for: .seconds(2))) != nil else { return }
            remains = look(for: stored)
        }
        if remains != .neverStarted { await meter.bookUnseen(stored.record.id, attempt: stored.record.attempt) }
        if let job = takeUp(stored, remains) { await meter.begin([job]) }
    }

    /// What there is of an active job now. Only what was seen counts: what cannot be looked at is not taken for gone.
    private func look(for stored: StoredJob) -> Remains {
        let path = directory(stored.record.id).exitRecord(stored.record.attempt)
        guard stored.bootID == bootID else { return leftByEarlierBoot(stored, path) }
        if let process = noted(stored) {
            if launcher.isAlive(process) { return .running(process) }
            // Its supervisor was killed: whatever it left is seen to its end.
            return recorded(path) ?? .ended(at: nil)
        }
        do {
            let name = cgroupName(stored.record.id, attempt: stored.record.attempt)
            // The record last: it may have ended while it was looked for.
            if let found = try launcher.find(record: path, cgroupName: name) { return .running(found) }
            if let recorded = recorded(path) { return recorded }
            let ran = try stored.record.state != .starting || ExitRecord.wasStarted(path)
            return ran ? .ended(at: nil) : .neverStarted
        } catch {
            return .unknown("\(error)")
        }
    }

    /// A machine that shuts down sends SIGTERM to all, to the job's processes as well as to their supervisor: it may have written
    /// that down before it was told itself.
    private func leftByEarlierBoot(_ stored: StoredJob, _ path: String) -> Remains {
        if case .record(let record) = ExitRecord.look(path), record.isEndedByTerm, stored.cancelledBy == nil,
            stored.requeuedBy == nil
        {
            return .lost("ended by SIGTERM before the machine restarted: taken for its shutdown")
        }
        return recorded(path) ?? .lost("the machine restarted while it ran")
    }

    private func recorded(_ path: String) -> Remains? {
        switch ExitRecord.look(path) {
        case .record(let record): .ended(at: Timestamp(microseconds: record.endedAt))
        case .unreadable: .ended(at: nil)
        case .none: nil
        }
    }

    /// The process the last daemon wrote down.
    private func noted(_ stored: StoredJob) -> Started? {
        guard let pid = stored.supervisorPID, let start = stored.supervisorStart else { return nil }
        return Started(supervisorPID: pid, startTime: start, cgroupPath: stored.cgroup)
    }

    /// Keeps what the job holds for it.
    private func hold(_ stored: StoredJob, suspendedSince since: Timestamp?) {
        let shift = shift(of: stored, suspendedSince: since, now: .now())
        allot(
            ActiveJob(
                id: stored.record.id, uid: stored.record.uid, project: stored.record.project,
                queue: stored.record.queue, request: planned(stored),
                startedAt: stored.attemptStartedAt ?? stored.record.submittedAt,
                expectedEnd: stored.record.state == .suspended
                    ? nil
                    : stored.timeLimit.flatMap { limit in
                        stored.attemptStartedAt?.advanced(by: .seconds(limit + stored.suspendedSeconds))
                    },
                array: stored.record.array?.id, shift: shift,
                predictedEnd: stored.record.state == .suspended || stored.suspendedSeconds > 0
                    ? nil : stored.attemptStartedAt.flatMap { predictedEnd(of: stored, from: $0) },
                isTraining: stored.spec.train != nil, isInterruptible: stored.spec.schedule.interruptible,
                isHalted: stored.record.state == .suspended && stored.holder == .rule),
            stored.placement)
    }

    /// - Returns: what is to be metered, if the job still runs.
    private func takeUp(_ stored: StoredJob, _ remains: Remains) -> EnergyMeter.Tracked? {
        let id = stored.record.id
        live[id]?.events = TrainingEvents(
            path: directory(id).events(stored.record.attempt), offset: stored.eventsOffset,
            progress: stored.record.progress)
        live[id]?.process = noted(stored)
        switch remains {
        case .running(let process):
            live[id]?.process = process
            // What was asked for and written down may not have been done.
            if stored.record.state == .suspended {
                freeze(id, process)
            } else {
                live[id]?.state = .running
                thaw(id, process)
            }
            // The last daemon may have capped it by a rule that is gone, or holds no more.
            let mayCap = policy.capsCPUs || policy.machine.powerCap.value != nil
            if mayCap || isNotedAsCapped(id) { caps[id] = Self.unknownCap }
            watch(id, process)
            logger.notice(
                "adopted",
                metadata: [
                    "event": "adopted", "job": "\(id)", "user": "\(stored.record.user)",
                    "pid": "\(process.supervisorPID)",
                ])
            if stored.record.state == .starting { noteLater(id, process) }
            if live[id]?.cancelledBy != nil || live[id]?.requeuedBy != nil { stop(id, process) }
            return EnergyMeter.Tracked(
                id: id, attempt: stored.record.attempt,
                reservedCPUs: scheduler.active[id]?.standsStill == true ? 0 : Double(stored.spec.resources.cpus),
                reservedMemoryBytes: stored.spec.resources.memory.bytes, gpus: gpuHold(id), process: process,
                cpuSeconds: launcher.cpuClock(of: process))
        case .ended: seeToEnd(id)
        case .lost(let cause):
            live[id]?.lostCause = cause
            // The number of its process is another's by now, or nobody's.
            live[id]?.process = nil
            seeToEnd(id)
        case .neverStarted:
            queueAgainLater(
                id,
                Ledger.Requeue(
                    cause: "mld stopped before it was started; queued again", attempt: "not-started"))
        case .unknown(let problem):
            logger.error("cannot tell whether it runs: \(problem)", metadata: ["job": "\(id)"])
            lookAgainLater(stored)
        }
        return nil
    }

    /// Writes the process of an attempt down, as far as the last daemon did not.
    func noteProcess(_ id: JobID, _ process: Started) async {
        guard let attempt = live[id]?.attempt else { return }
        do {
            try await ledger.recordProcess(
                id, attempt: attempt, pid: process.supervisorPID, startTime: process.startTime,
                cgroup: process.cgroupPath, enforced: ["not known: mld stopped while it was being started"], at: .now())
        } catch {
            logger.error("\(error)", metadata: ["job": "\(id)"])
        }
    }

    /// Ends an attempt that is not the last: the job waits again.
    func queueAgain(_ id: JobID, _ requeue: Ledger.Requeue) async {
        var held: StoredJob?
        while true {
            // What it lost is reckoned from what is booked.
            await meter.flush()
            do {
                // Nothing is written where it is queued already, by a try that failed after its commit.
                try await ledger.requeue(id, requeue, at: .now())
                held = try await ledger.job(id).flatMap { $0.holder == nil ? nil : $0 }
                break
            } catch {
                logger.error("\(error)", metadata: ["job": "\(id)"])
                guard (try? await Task.sleep(for: .seconds(2))) != nil else { return }
            }
        }
        await cleanUp(id)
        letGo(id)
        guard let job = live.removeValue(forKey: id) else { return }
        // Someone cancelled it meanwhile.
        if let user = job.cancelledBy {
            let outcome = Outcome(state: .cancelled, cause: "cancelled by \(user)", end: nil)
            return finishLater(id, outcome, in: job.array)
        }
        var pending = job.pending
        pending.notBefore = requeue.notBefore ?? pending.notBefore
        pending.isPaused = requeue.notBefore != nil
        pending.note = requeue.notBefore == nil ? nil : requeue.cause
        if let held {
            pending.held = true
            pending.note = held.record.reason
        }
        scheduler.add(pending)
        await publishState(id)
        requestPlan()
    }
}
