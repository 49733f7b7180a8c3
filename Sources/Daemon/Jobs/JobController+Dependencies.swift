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
        for dependency in after where !unmet.contains(dependency) {
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
        for dependency in job.after {
            dependents[dependency, default: []].insert(job.id)
            settleLater(dependency)
        }
    }

    /// A job has ended: those that wait for it, by whichever of its names, or for its array may have waited enough.
    func settleDependents(of id: JobID, in array: ArrayPlace?) {
        guard !dependents.isEmpty else { return }
        var names = [JobReference(id)]
        if let array { names += [JobReference(array: array.id, index: array.index), JobReference(array.id)] }
        for name in names {
            for condition in Dependency.Condition.allCases {
                let dependency = Dependency(name, condition)
                if dependents[dependency] != nil { settleLater(dependency) }
            }
        }
    }

    /// Asks the ledger once for all that wait for the same, however often it is asked for meanwhile.
    private func settleLater(_ dependency: Dependency) {
        if toSettle.insert(dependency).inserted { settleSoon(dependency) }
    }

    /// Looks at what has become of a job that others wait for: they may start, must wait on, or never can.
    func settle(_ dependency: Dependency) async {
        // What ends from here on is asked for anew.
        toSettle.remove(dependency)
        do {
            let states = try await ledger.states(of: dependency.job)
            switch dependency.verdict(on: states) {
            case .pending: break
            case .met: free(dependents.removeValue(forKey: dependency) ?? [], from: dependency)
            case .impossible:
                cancel(
                    dependents.removeValue(forKey: dependency) ?? [],
                    cause: "cancelled, for it would wait for ever: " + sentence(dependency, states))
            }
        } catch {
            logger.error("\(error)")
            guard (try? await Task.sleep(for: .seconds(2))) != nil else { return }
            settleLater(dependency)
        }
    }

    private func free(_ jobs: Set<JobID>, from dependency: Dependency) {
        for id in jobs {
            guard var job = scheduler.pendingJob(id) else { continue }
            job.after.removeAll { $0 == dependency }
            scheduler.add(job)
        }
        requestPlan()
    }

    private func cancel(_ jobs: Set<JobID>, cause: String) {
        for id in jobs.sorted() {
            guard let job = scheduler.remove(id) else { continue }
            forgetDependencies(of: job)
            finishLater(id, Outcome(state: .cancelled, cause: cause, end: nil), in: job.array)
        }
    }

    /// No one has to be told any more on behalf of this job.
    func forgetDependencies(of job: PendingJob) {
        for dependency in job.after {
            dependents[dependency]?.remove(job.id)
            if dependents[dependency]?.isEmpty == true { dependents[dependency] = nil }
        }
    }

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
