import Scheduling
import Logging
import JobAPI
import Ledger
import Sandbox
import Units

/// How a job ended, in the words of the ledger.
struct Outcome: Sendable {
    var state: JobState
    var cause: String
    var end: JobEnd?

    /// Reads a supervisor's record of the end of a job's processes.
    /// - Parameters:
    ///   - record: nil when the supervisor died before it could write one.
    ///   - lastWords: the last line of the job's standard error, to make a failure tell more than a number.
    init(record: ExitRecord?, cancelledBy: String?, timeLimit: Double?, lastWords: String?) {
        guard let record else {
            state = cancelledBy == nil ? .failed : .cancelled
            cause = cancelledBy.map { "cancelled by \($0)" } ?? "its supervisor was killed; nothing is known of its end"
            return
        }
        end = JobEnd(exitStatus: record.exitStatus.map(Int.init), signal: record.signal.map(Int.init))
        let words = lastWords.map { ": " + $0 } ?? ""
        switch record.cause {
        case .timeLimit:
            state = .timedOut
            let limit = timeLimit.map { (.seconds($0) as Duration).brief } ?? "its limit"
            cause = "stopped after its time limit of \(limit); ask for more with [resources] time"
        case .couldNotStart:
            state = .failed
            cause = "could not start: " + (record.message ?? "no reason was recorded")
        case .stopped:
            state = .cancelled
            cause = cancelledBy.map { "cancelled by \($0)" } ?? "stopped by a signal to its supervisor"
        case .exited where cancelledBy != nil, .signalled where cancelledBy != nil:
            state = .cancelled
            cause = "cancelled by \(cancelledBy ?? "")"
        case .exited:
            let status = record.exitStatus ?? 0
            state = status == 0 ? .succeeded : .failed
            cause = status == 0 ? "exited with status 0" : "exited with status \(status)" + words
        case .signalled:
            state = .failed
            cause = "killed by signal \(record.signal ?? 0)" + words
        }
    }

    init(state: JobState, cause: String, end: JobEnd?) {
        self.state = state
        self.cause = cause
        self.end = end
    }
}

extension JobController {
    /// A job's supervisor is gone: everything it left is on disk.
    func ended(_ id: JobID) async {
        guard let job = live[id] else { return }
        await takeEvents(id)
        let directory = directory(id)
        let record = ExitRecord.read(directory.exitRecord(job.attempt))
        let cpu = record.map { Double($0.userMicroseconds + $0.systemMicroseconds) / 1e6 }
        await meter.end(id, finalCPU: cpu)
        if let process = job.process { await cleanUp(id, process) }
        let outcome = Outcome(
            record: record, cancelledBy: job.cancelledBy, timeLimit: job.timeLimit,
            lastWords: LastWords.read(directory.stderr))
        await finish(id, outcome)
    }

    private func cleanUp(_ id: JobID, _ process: Started) async {
        do {
            try await launcher.cleanUp(process)
        } catch {
            logger.error("left over: \(error)", metadata: ["job": "\(id)"])
        }
    }

    /// Writes the end down, frees what the job held, and tells its followers.
    func finish(_ id: JobID, _ outcome: Outcome) async {
        while true {
            do {
                try await ledger.transition(id, to: outcome.state, cause: outcome.cause, at: .now(), end: outcome.end)
                break
            } catch {
                // The end is in the job's directory too; until the ledger takes it, the job stays as it was.
                logger.error("\(error)", metadata: ["job": "\(id)"])
                guard (try? await Task.sleep(for: .seconds(2))) != nil else { return }
            }
        }
        logger.info("\(outcome.state.rawValue)", metadata: ["job": "\(id)", "cause": "\(outcome.cause)"])
        live[id] = nil
        scheduler.ended(id)
        await publishState(id)
        hub.finish(id)
        requestPlan()
    }
}

/// The last line a job wrote to standard error, as a clue.
enum LastWords {
    static func read(_ path: String) -> String? {
        var tail = FileTail(path: path)
        tail.skipToEnd()
        tail = FileTail(path: path, offset: max(tail.offset - 4096, 0))
        let text = String(decoding: tail.read(limit: 4096), as: UTF8.self)
        guard let line = text.split(whereSeparator: \.isNewline).last(where: { !$0.allSatisfy(\.isWhitespace) }) else {
            return nil
        }
        return String(line.prefix(200))
    }
}
