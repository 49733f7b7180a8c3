import JobAPI
import Ledger
import Policy
import Scheduling
import Units

extension JobController {
    /// What `/v1/arrays/ID` shows.
    func array(_ id: JobID, limit: Int, for peer: Peer) async throws -> ArrayReport {
        try await report(id, limit: limit, for: peer, changed: nil)
    }

    /// Does to each element what can be done to it; of elements in other states nothing changes.
    func act(_ action: JobAction, onArray id: JobID, from peer: Peer) async throws -> ArrayReport {
        let first = try await firstElement(of: id)
        try authorise(peer, on: first.record, to: action.rawValue)
        let elements = try await ledger.elements(of: id, in: action.states)
        // What the first ones free must not start the next ones.
        let kept = action == .cancel ? keepFromStarting(elements) : []
        defer { letStart(kept) }
        let changed = try await withThrowingTaskGroup(of: Bool.self) { group in
            var changed = 0
            for (index, element) in elements.enumerated() {
                // Several at a time, so that they share the disk's syncs; not all, so that others are served too.
                if index >= 32, try await group.next() == true { changed += 1 }
                group.addTask { try await self.tryTo(action, element, from: peer) }
            }
            for try await isChanged in group where isChanged { changed += 1 }
            return changed
        }
        return try await report(id, limit: 1000, for: peer, changed: changed)
    }

    /// - Returns: those that were free, and what was said of them.
    private func keepFromStarting(_ jobs: [JobID]) -> [(id: JobID, note: String?)] {
        jobs.compactMap { id in
            guard let job = scheduler.pendingJob(id), !job.held else { return nil }
            setHeld(id, note: "is being cancelled")
            return (id, job.note)
        }
    }

    /// Those that were not cancelled after all.
    private func letStart(_ jobs: [(id: JobID, note: String?)]) {
        for job in jobs { setFree(job.id, job.note) }
    }

    func act(_ action: JobAction, on id: JobID, from peer: Peer) async throws -> JobRecord {
        switch action {
        case .cancel: try await cancel(id, from: peer)
        case .hold: try await hold(id, from: peer)
        case .release: try await release(id, from: peer)
        case .suspend: try await suspend(id, from: peer)
        case .resume: try await resume(id, from: peer)
        case .requeue: try await requeue(id, from: peer)
        }
    }

    /// Its state may have changed since it was looked up: that is no failure of the whole.
    private func tryTo(_ action: JobAction, _ id: JobID, from peer: Peer) async throws -> Bool {
        do {
            _ = try await act(action, on: id, from: peer)
            return true
        } catch let error as APIError where error.code == .conflict {
            return false
        }
    }

    private func report(_ id: JobID, limit: Int, for peer: Peer, changed: Int?) async throws -> ArrayReport {
        let first = try await firstElement(of: id)
        try authorise(peer, on: first.record, to: "look into")
        let now = Timestamp.now()
        let counts = try await ledger.elementCounts(of: id)
        let jobs = try await ledger.records(ofArray: id, limit: min(max(limit, 1), 10_000))
        return ArrayReport(
            id: id, name: first.record.name, user: first.record.user,
            states: Dictionary(uniqueKeysWithValues: counts.map { ($0.key.rawValue, $0.value) }),
            jobs: views(jobs, now: now), changed: changed)
    }

    private func firstElement(of id: JobID) async throws -> StoredJob {
        guard let first = try await ledger.elements(of: id, limit: 1).first else {
            throw APIError(.notFound, "there is no array \(id)", hint: "mlctl list shows the jobs there are")
        }
        return first
    }
}

extension JobAction {
    /// The states of jobs to which it can be done.
    var states: Set<JobState> {
        switch self {
        case .cancel: Set(JobState.allCases.filter { !$0.isFinal })
        case .hold, .release: [.queued]
        case .suspend: [.running]
        case .resume: [.suspended]
        case .requeue: [.starting, .running, .suspended]
        }
    }
}
