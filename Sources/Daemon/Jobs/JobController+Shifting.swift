import JobAPI
import Ledger
import LinuxSystem
import Logging
import Policy
import Sandbox
import Scheduling
import Units

// Jobs that the plan lets stand still through a dear time. They keep memory and GPUs, their CPUs are others' meanwhile. As with
// people's suspensions the ledger is written first.
extension JobController {
    /// Does what the plan says; each by a task of its own, since it waits for the disk.
    func shift(by plan: Plan) {
        for (ids, isSuspended) in [(plan.suspends, true), (plan.resumes, false)] {
            for id in ids where shifting.insert(id).inserted { shiftLater(id, isSuspended: isSuspended) }
        }
    }

    func shift(_ id: JobID, isSuspended: Bool) async {
        defer { shifting.remove(id) }
        guard let job = live[id], job.isLeftAlone, let process = job.process else {
            // Looked at again once it has processes; one that is being ended needs nothing.
            if live[id]?.state == .starting { wakeUp(at: Timestamp.now().advanced(by: .seconds(1))) }
            return
        }
        do {
            if isSuspended, job.state == .running {
                try await suspendByPlan(id, process)
            } else if !isSuspended, job.state == .suspended {
                try await resumeByPlan(id, process)
            } else if job.state == .starting {
                wakeUp(at: Timestamp.now().advanced(by: .seconds(1)))
            }
        } catch {
            logger.error(
                "cannot \(isSuspended ? "suspend" : "resume") it as planned: \(error)", metadata: ["job": "\(id)"])
            wakeUp(at: Timestamp.now().advanced(by: .seconds(5)))
        }
    }

    private func suspendByPlan(_ id: JobID, _ process: Started) async throws {
        let now = Timestamp.now()
        guard let reason = scheduler.pauseReason(for: id, now: now) else { return }
        live[id]?.state = .suspended
        do {
            let isWritten = try await ledger.suspend(
                id, by: "the plan", as: .plan, because: reason.text.without("suspended "),
                rule: reason.rule?.description, policyHash: policy.hash, at: now)
            guard isWritten else { throw APIError(.conflict, "job \(id) does not run") }
        } catch {
            live[id]?.state = .running
            throw error
        }
        // It may have been asked to end meanwhile.
        if live[id]?.state == .suspended {
            freeze(id, process)
            await meter.reserve(id, cpus: 0)
            scheduler.suspended(id, at: .now())
        }
        await publishState(id)
        requestPlan()
    }

    private func resumeByPlan(_ id: JobID, _ process: Started) async throws {
        // A person may have let it go on, or have taken what the plan would give it.
        guard scheduler.active[id]?.shift?.isSuspended == true, !lacksRoom(id) else {
            // Not at once: where the count and the places do not agree, the plan would say the same again, and again.
            return wakeUp(at: Timestamp.now().advanced(by: .seconds(1)))
        }
        let claim = claimCPUs(id)
        do {
            // Somebody may have made it a suspension of their own.
            guard
                try await ledger.resume(
                    id, by: "the plan", because: "its time has come", only: [.plan], policyHash: policy.hash, at: .now()
                )
            else { return giveBack(claim, by: id) }
        } catch {
            giveBack(claim, by: id)
            throw error
        }
        guard live[id] != nil else { return }
        live[id]?.state = .running
        await use(claim, by: id)
        thaw(id, process)
        await publishState(id)
        requestPlan()
    }

    /// From now on the job is a person's matter: it holds all it asked for, and the plan leaves it alone.
    func settleShift(_ id: JobID) async {
        guard let shift = scheduler.active[id]?.shift else { return }
        if shift.isSuspended { scheduler.resumed(id, at: .now()) }
        scheduler.settle(id)
        // Also where the plan was just about to resume it.
        await meter.reserve(id, cpus: live[id]?.spec.resources.cpus ?? 0)
    }

    /// - Throws: where others have the CPUs that a job gave up while the plan let it stand still, also when somebody has made it a
    ///   suspension of their own since.
    func checkRoom(toResume id: JobID) throws {
        guard let job = scheduler.active[id], lacksRoom(id) else { return }
        let isPlanned = job.shift?.isSuspended == true
        throw APIError(
            .conflict,
            "job \(id) gave up its \(counted(job.request.cpus, "CPU")) while it stands still, and others have them now",
            hint: isPlanned
                ? "it goes on by itself; mlctl why \(id) says when" : "try again when jobs on its CPUs have ended")
    }
}

extension JobController {
    /// Whether others have what it lent while the plan let it stand still.
    private func lacksRoom(_ id: JobID) -> Bool {
        guard let job = scheduler.active[id] else { return false }
        return (job.shift?.isSuspended == true && job.request.cpus > scheduler.free.cpus) || lacksCPUs(id)
    }
}

extension String {
    fileprivate func without(_ prefix: String) -> String { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self }
}
