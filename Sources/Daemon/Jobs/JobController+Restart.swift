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
        for stored in try await ledger.unfinished() {
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
        live[id]?.events = TrainingEvents(path: directory.events(stored.record.attempt))
        let process = stored.supervisorPID.flatMap { pid in
            stored.supervisorStart.map { Started(supervisorPID: pid, startTime: $0, cgroupPath: stored.cgroup) }
        }
        live[id]?.process = process
        if let process, stored.bootID == bootID, launcher.isAlive(process) {
            let launcher = launcher
            let already = launcher.cpuSeconds(of: process) ?? 0
            // What it used before we were there to read the meters is not billed to the interval that begins now.
            await meter.begin(
                .init(
                    id: id, attempt: stored.record.attempt, reservedCPUs: Double(stored.spec.resources.cpus),
                    reservedMemoryBytes: stored.spec.resources.memory.bytes,
                    cpuSeconds: { launcher.cpuSeconds(of: process) }, lastCPU: already))
            live[id]?.state = .running
            watch(id, process)
            logger.notice("adopted", metadata: ["job": "\(id)", "pid": "\(process.supervisorPID)"])
        } else if ExitRecord.read(directory.exitRecord(stored.record.attempt)) != nil {
            await ended(id)
        } else if stored.bootID != bootID {
            await finish(id, Outcome(state: .lost, cause: "the machine restarted while it ran", end: nil))
        } else {
            await finish(
                id,
                Outcome(
                    state: stored.record.state == .starting ? .failed : .lost,
                    cause: "mld stopped while it was being started, or its supervisor was killed; submit it again",
                    end: nil))
        }
    }
}
