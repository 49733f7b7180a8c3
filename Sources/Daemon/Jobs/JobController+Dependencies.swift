import JobAPI
import Ledger
import Logging
import Scheduling

// Jobs that wait for others. The ledger knows how those ended; here is kept who is to be told.
extension JobController {
    /// Leaves out what is met already.
    /// - Throws: ``APIError`` for a job that does not exist, or that can never come to what is waited for.
    func unmet(_ after: [Dependency]) async throws -> [Dependency] {
        guard after.count <= 100 else {
            throw APIError(.invalidRequest, "a job waits for at most 100 others", hint: "wait for an array as a whole")
        }
        var unmet: [Dependency] = []
        for dependency in after {
            let states = try await ledger.states(of: dependency.job)
            guard !states.isEmpty else {
                throw APIError(
                    .invalidRequest, "\"schedule.after\" names job \(dependency.job), which does not exist",
                    hint: "mlctl list shows the jobs there are")
            }
            switch dependency.verdict(on: states) {
            case .met: continue
            case .pending: unmet.append(dependency)
            case .impossible:
                throw APIError(
                    .refused, "it would wait for ever: \(sentence(dependency, states))",
                    hint: "leave job \(dependency.job) out of \"schedule.after\"")
            }
        }
        return unmet
    }

    /// Remembers what a job waits for, and sees whether it has happened meanwhile.
    func waitForOthers(_ job: PendingJob) {
        guard !job.after.isEmpty else { return }
        for dependency in job.after { dependents[key(dependency.job), default: []].insert(job.id) }
        settleLater(job.id)
    }

    /// A job has ended: those that wait for it, or for its array, may have waited enough.
    func settleDependents(of id: JobID, in array: JobID?) {
        for number in [id, array].compactMap(\.self) {
            for dependent in dependents[number] ?? [] { settleLater(dependent) }
        }
    }

    /// Looks at what a job still waits for: it may start, must wait on, or never can.
    func settle(_ id: JobID) async {
        guard let job = scheduler.pendingJob(id), !job.after.isEmpty else { return }
        var unmet: [Dependency] = []
        var impossible: String?
        do {
            for dependency in job.after {
                let states = try await ledger.states(of: dependency.job)
                switch dependency.verdict(on: states) {
                case .met: forget(dependency, of: id)
                case .pending: unmet.append(dependency)
                case .impossible: impossible = impossible ?? sentence(dependency, states)
                }
            }
        } catch {
            logger.error("\(error)", metadata: ["job": "\(id)"])
            guard (try? await Task.sleep(for: .seconds(2))) != nil else { return }
            return settleLater(id)
        }
        // It may have been cancelled, held or settled meanwhile.
        guard var now = scheduler.pendingJob(id), !now.after.isEmpty else { return }
        if let impossible {
            scheduler.remove(id)
            for dependency in now.after { forget(dependency, of: id) }
            let cause = "cancelled, for it would wait for ever: " + impossible
            return await finish(id, Outcome(state: .cancelled, cause: cause, end: nil))
        }
        guard unmet.count < now.after.count else { return }
        now.after = unmet
        scheduler.add(now)
        requestPlan()
    }

    /// No one has to be told any more on behalf of this job.
    func forgetDependencies(of job: PendingJob) {
        for dependency in job.after { forget(dependency, of: job.id) }
    }

    private func forget(_ dependency: Dependency, of id: JobID) {
        let key = key(dependency.job)
        dependents[key]?.remove(id)
        if dependents[key]?.isEmpty == true { dependents[key] = nil }
    }

    /// An element is looked after with its whole array.
    private func key(_ job: JobReference) -> JobID { job.id }

    private func sentence(_ dependency: Dependency, _ states: Set<JobState>) -> String {
        let names = states.filter { dependency.verdict(on: $0) == .impossible }.map(\.rawValue).sorted()
        let wanted =
            switch dependency.condition {
            case .succeeded: "succeed"
            case .failed: "fail"
            case .ended: "end"
            }
        return "job \(dependency.job) is \(names.joined(separator: " or ")), and was to \(wanted)"
    }
}
