import Scheduling
import Logging
import Glibc
import JobAPI
import Ledger
import Sandbox
import Units

extension JobController {
    /// A job's supervisor is gone: everything it left is on disk.
    func ended(_ id: JobID) async {
        guard let job = live[id] else { return }
        // Its cgroup is emptied below: no way that leads here may end what lives.
        if let process = job.process, launcher.isAlive(process) { return watch(id, process) }
        let path = directory(id).exitRecord(job.attempt)
        // Metered up to here at once: what it wrote may have to wait for the disk, and it pays for nothing meanwhile.
        let last = ExitRecord.read(path)
        let totals = await meter.end(
            id, finalCPU: last.map { Double($0.userMicroseconds + $0.systemMicroseconds) / 1e6 })
        chargeShare(id, totals)
        shareCharged[id] = nil
        // A supervisor that wrote its record left nothing behind, so the next job need not wait for the books.
        if last != nil { release(id) }
        // What a killed supervisor left is ended before what it wrote is read to its end.
        await cleanUp(id)
        release(id)
        guard await takeLastEvents(id), let found = await exitRecord(id, attempt: job.attempt) else { return }
        let leftOut = await keepOutput(id, attempt: job.attempt)
        guard let job = live[id] else { return }
        if let record = found.record, record.mayStartLater, job.cancelledBy == nil {
            return startAgainLater(id, record.message ?? "for want of processes or memory")
        }
        failedStarts[id] = nil
        var outcome = outcome(of: job, found.record)
        if let leftOut { outcome.cause += "; " + leftOut }
        let sequel = Sequel(
            outcome, of: job, wasStopped: found.record?.cause == .stopped,
            couldStart: found.record?.cause != .couldNotStart, now: .now())
        switch sequel {
        case .final(let outcome): await finish(id, outcome)
        case .again(let requeue): await queueAgain(id, requeue)
        }
    }

    private func outcome(of job: LiveJob, _ record: ExitRecord?) -> Outcome {
        if let cause = job.lostCause {
            return Outcome(state: job.cancelledBy == nil ? .lost : .cancelled, cause: cause, end: nil)
        }
        return Outcome(
            record: record, cancelledBy: job.cancelledBy, timeLimit: job.timeLimit,
            lastWords: LastWords.read(directory(job.id).stderr), progress: job.events?.progress)
    }

    /// What the job held is free for others.
    private func release(_ id: JobID) {
        guard letGo(id) != nil else { return }
        requestPlan()
    }

    /// Reads the event file to its end, as far as it is read at all.
    /// - Returns: false when the daemon stops meanwhile.
    private func takeLastEvents(_ id: JobID) async -> Bool {
        while true {
            switch await takeEvents(id) {
            case .all: return true
            case .some: continue
            case .failed: guard (try? await Task.sleep(for: .seconds(2))) != nil else { return false }
            }
        }
    }

    /// The record of the job's end. One that is there but cannot be read now (no descriptor left) is waited for: it says how the
    /// job ended, for ever. From a disk that does not give it in half a minute it will not come.
    /// - Returns: nil when the daemon stops meanwhile.
    private func exitRecord(_ id: JobID, attempt: Int) async -> ExitRecord.Found? {
        var tries = 0
        while true {
            let found = ExitRecord.look(directory(id).exitRecord(attempt))
            guard case .unreadable(let problem, let passes) = found else { return found }
            if tries == 0 { logger.error("its exit record: \(problem)", metadata: ["job": "\(id)"]) }
            tries += 1
            if !passes, tries > 30 { return ExitRecord.Found.none }
            guard (try? await Task.sleep(for: .seconds(1))) != nil else { return nil }
        }
    }

    /// Removes the cgroup of a job's last attempt, whether or not its process was ever noted.
    func cleanUp(_ id: JobID) async {
        guard let job = live[id],
            let path = job.process?.cgroupPath ?? launcher.cgroupPath(cgroupName(id, attempt: job.attempt))
        else { return }
        do {
            try await launcher.cleanUp(job.process ?? Started(supervisorPID: 0, startTime: 0, cgroupPath: path))
        } catch {
            logger.error("left over: \(error)", metadata: ["job": "\(id)"])
        }
    }

    /// Writes the end down, frees what the job held, and tells its followers.
    /// - Parameter array: of a job that is not live.
    func finish(_ id: JobID, _ outcome: Outcome, in array: ArrayPlace? = nil) async {
        while true {
            // What it lost is reckoned from what is booked.
            await meter.flush()
            do {
                let isWritten = try await ledger.transition(
                    id, to: outcome.state, cause: outcome.cause, at: outcome.time(startedAt: live[id]?.startedAt),
                    end: outcome.end)
                if !isWritten { logger.error("its end was written before", metadata: ["job": "\(id)"]) }
                break
            } catch {
                // The end is in the job's directory too; until the ledger takes it, the job stays as it was.
                logger.error("\(error)", metadata: ["job": "\(id)"])
                guard (try? await Task.sleep(for: .seconds(2))) != nil else { return }
            }
        }
        let array = live[id]?.array ?? array
        live[id] = nil
        failedStarts[id] = nil
        letGo(id)
        await publishState(id)
        hub.finish(id)
        settleDependents(of: id, in: array)
        await notify(id)
        await learn(from: id, outcome.state)
        requestPlan()
    }
}

/// The last line a job wrote to standard error, as a clue.
enum LastWords {
    static func read(_ path: String) -> String? {
        var tail = LogTail(path: path)
        tail.skipToLast(4096)
        let text = String(decoding: tail.read(limit: 4096).bytes, as: UTF8.self)
        // What begins so is ours, as the warning of the time limit.
        let line = text.split(whereSeparator: \.isNewline).last {
            !$0.hasPrefix("mld: ") && !$0.allSatisfy(\.isWhitespace)
        }
        return line.map { String($0.prefix(200)) }
    }
}
