import Scheduling
import Logging
import JobAPI
import Ledger
import Sandbox
import Units

extension JobController {
    /// Takes up every job that had not ended when the last daemon went: queued ones are queued again in their order, ones
    /// that run are adopted, ones that ended meanwhile are seen to their end.
    func takeUp() async throws {
        let unfinished = try await ledger.unfinished()
        var processes: [JobID: Started] = [:]
        var outages: [EnergyMeter.Outage] = []
        for stored in unfinished where stored.record.state.isActive && stored.bootID == bootID {
            let id = stored.record.id
            processes[id] = await process(of: stored)
            let record = ExitRecord.read(directory(id).exitRecord(stored.record.attempt))
            // Neither process nor record: it was never started.
            guard processes[id] != nil || record != nil else { continue }
            outages.append(
                .init(
                    id: id, attempt: stored.record.attempt, startedAt: stored.attemptStartedAt,
                    endedAt: record.map { Timestamp(microseconds: $0.endedAt) }))
        }
        await meter.bookOutage(outages)
        var adopted: [EnergyMeter.Tracked] = []
        for stored in unfinished {
            let id = stored.record.id
            live[id] = LiveJob(stored)
            switch stored.record.state {
            case .queued: enqueue(stored)
            default: adopted += [await takeUpActive(stored, processes[id])].compactMap(\.self)
            }
        }
        // All at once: each reading is of all jobs.
        await meter.begin(adopted)
        requestPlan()
    }

    /// - Returns: what is to be metered, if the job still runs.
    private func takeUpActive(_ stored: StoredJob, _ process: Started?) async -> EnergyMeter.Tracked? {
        let id = stored.record.id
        let directory = directory(id)
        scheduler.started(
            ActiveJob(
                id: id, uid: stored.record.uid, request: stored.spec.resources.vector,
                startedAt: stored.record.startedAt ?? stored.record.submittedAt,
                expectedEnd: stored.timeLimit.flatMap { limit in
                    stored.record.startedAt?.advanced(by: .seconds(limit))
                }))
        live[id]?.events = TrainingEvents(
            path: directory.events(stored.record.attempt), offset: stored.eventsOffset)
        live[id]?.process = process
        if let process, stored.bootID == bootID, launcher.isAlive(process) {
            live[id]?.state = .running
            watch(id, process)
            logger.notice("adopted", metadata: ["job": "\(id)", "pid": "\(process.supervisorPID)"])
            if stored.record.state == .starting { await noteProcess(id, process) }
            if stored.cancelledBy != nil { stop(id, process) }
            let clock = launcher.cpuClock(of: process)
            // What it used before we were there to read the meters is not billed to the interval that begins now.
            return EnergyMeter.Tracked(
                id: id, attempt: stored.record.attempt, reservedCPUs: Double(stored.spec.resources.cpus),
                reservedMemoryBytes: stored.spec.resources.memory.bytes, process: process, cpuSeconds: clock,
                lastCPU: clock() ?? 0)
        } else if ExitRecord.read(directory.exitRecord(stored.record.attempt)) != nil {
            // Not here: writing ends down may have to wait for the disk, and clients must not wait for that.
            seeToEnd(id)
        } else if stored.bootID != bootID {
            finishLater(id, Outcome(state: .lost, cause: "the machine restarted while it ran", end: nil))
        } else if stored.record.state == .starting {
            await queueAgain(stored)
        } else {
            finishLater(
                id, Outcome(state: .lost, cause: "its supervisor was killed while no mld ran", end: nil))
        }
        return nil
    }

    /// The process the last daemon noted, or, where it died before it could, the one that is there.
    private func process(of stored: StoredJob) async -> Started? {
        if let pid = stored.supervisorPID, let start = stored.supervisorStart {
            return Started(supervisorPID: pid, startTime: start, cgroupPath: stored.cgroup)
        }
        guard stored.bootID == bootID else { return nil }
        do {
            let record = directory(stored.record.id).exitRecord(stored.record.attempt)
            let name = cgroupName(stored.record.id, attempt: stored.record.attempt)
            if let found = try launcher.find(record: record, cgroupName: name) { return found }
            // A process that was just being born does not bear its name yet.
            try await Task.sleep(for: .milliseconds(200))
            return try launcher.find(record: record, cgroupName: name)
        } catch {
            logger.error("\(error)", metadata: ["job": "\(stored.record.id)"])
            return nil
        }
    }

    /// The last daemon died between writing `starting` down and starting anything: there is neither a supervisor nor the
    /// record that a supervisor leaves, so the job has not run and waits again.
    private func queueAgain(_ stored: StoredJob) async {
        let id = stored.record.id
        scheduler.ended(id)
        do {
            try await ledger.transition(
                id, to: .queued, cause: "mld stopped before it was started; queued again", at: .now())
            if let queued = try await ledger.job(id) { enqueue(queued) }
            await cleanUp(id)
        } catch {
            logger.error("\(error)", metadata: ["job": "\(id)"])
        }
    }

    private func noteProcess(_ id: JobID, _ process: Started) async {
        guard let attempt = live[id]?.attempt else { return }
        do {
            try await ledger.recordProcess(
                id, attempt: attempt, pid: process.supervisorPID, startTime: process.startTime,
                cgroup: process.cgroupPath, enforced: ["not known: mld stopped while it was being started"], at: .now())
        } catch {
            logger.error("\(error)", metadata: ["job": "\(id)"])
        }
    }
}
