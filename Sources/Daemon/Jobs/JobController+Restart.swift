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
        await meter.bookOutage(
            unfinished.filter { $0.record.state.isActive && $0.supervisorPID != nil && $0.bootID == bootID }.map {
                stored in
                let record = ExitRecord.read(directory(stored.record.id).exitRecord(stored.record.attempt))
                return (
                    stored.record.id, stored.record.attempt, record.map { Timestamp(microseconds: $0.endedAt) }
                )
            })
        for stored in unfinished {
            let id = stored.record.id
            live[id] = LiveJob(stored)
            switch stored.record.state {
            case .queued: enqueue(stored)
            default: await takeUpActive(stored)
            }
        }
        requestPlan()
    }

    private func takeUpActive(_ stored: StoredJob) async {
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
        let process = await process(of: stored)
        live[id]?.process = process
        if let process, stored.bootID == bootID, launcher.isAlive(process) {
            let launcher = launcher
            let already = launcher.cpuSeconds(of: process) ?? 0
            // What it used before we were there to read the meters is not billed to the interval that begins now.
            await meter.begin(
                .init(
                    id: id, attempt: stored.record.attempt, reservedCPUs: Double(stored.spec.resources.cpus),
                    reservedMemoryBytes: stored.spec.resources.memory.bytes, process: process,
                    cpuSeconds: { launcher.cpuSeconds(of: process) }, lastCPU: already))
            live[id]?.state = .running
            watch(id, process)
            logger.notice("adopted", metadata: ["job": "\(id)", "pid": "\(process.supervisorPID)"])
            if stored.record.state == .starting { await noteProcess(id, process) }
            if stored.cancelledBy != nil { stop(id, process) }
        } else if ExitRecord.read(directory.exitRecord(stored.record.attempt)) != nil {
            await ended(id)
        } else if stored.bootID != bootID {
            await finish(id, Outcome(state: .lost, cause: "the machine restarted while it ran", end: nil))
        } else if stored.record.state == .starting {
            await queueAgain(stored)
        } else {
            await finish(
                id, Outcome(state: .lost, cause: "its supervisor was killed while no mld ran", end: nil))
        }
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
