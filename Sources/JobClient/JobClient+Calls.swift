package import JobAPI
import NIOHTTP1
package import Units

/// Which of a job's outputs.
package enum LogStream: String, Sendable, CaseIterable {
    case stdout, stderr, all
}

/// What a report should cover; what is nil is the daemon's default.
package struct ReportQuery: Hashable, Sendable {
    package var since: Timestamp?
    package var until: Timestamp?
    package var by: ReportGrouping?
    package var job: JobID?
    package var basis: BillingBasis?

    package init(
        since: Timestamp? = nil, until: Timestamp? = nil, by: ReportGrouping? = nil, job: JobID? = nil,
        basis: BillingBasis? = nil
    ) {
        self.since = since
        self.until = until
        self.by = by
        self.job = job
        self.basis = basis
    }
}

// One function per endpoint.
extension JobClient {
    package func health() async throws -> Health { try await call(.GET, Target("health")) }

    /// Once this returns, the job is on disk. Where the daemon goes away before it answers, the same submission is sent again once it
    /// is back, under a key by which it knows it.
    package func submit(_ spec: JobSpec, within limit: Duration = longestPause) async throws -> Submitted {
        let request = Request(
            method: .POST, target: Target("jobs").text, body: Array(try JSON.encode(spec)),
            headers: [(SubmissionKey.header, SubmissionKey.random().description)], persists: true)
        return try await call(request, within: limit)
    }

    /// Returns once the daemon answers, where one listens.
    package func reach() async throws {
        _ = try await call(
            Request(method: .GET, target: Target("health").text, persists: true), within: Self.longestPause,
            as: Health.self)
    }

    /// What a job would take; nothing is submitted.
    package func estimate(_ spec: JobSpec, by deadline: Timestamp? = nil) async throws -> Estimate {
        try await call(.POST, Target("estimate").query("by", deadline?.precise), body: Array(JSON.encode(spec)))
    }

    /// - Parameters:
    ///   - states: only these; all active jobs and the last ended ones when nil.
    ///   - limit: the most jobs to list.
    package func jobs(states: [JobState]? = nil, user: String? = nil, limit: Int? = nil) async throws -> JobList {
        let states = states.map { $0.map(\.rawValue).joined(separator: ",") }
        return try await call(
            .GET,
            Target("jobs").query("state", states).query("user", user).query("limit", limit.map { String($0) }))
    }

    package func job(_ job: some NamesJob) async throws -> JobDetail {
        try await call(.GET, Target("jobs", "\(job.reference)"))
    }

    package func why(_ job: some NamesJob) async throws -> Explanation {
        try await call(.GET, Target("jobs", "\(job.reference)", "why"))
    }

    package func act(
        _ action: JobAction, on job: some NamesJob, within limit: Duration? = nil
    ) async throws -> JobRecord {
        try await call(.POST, Target("jobs", "\(job.reference)", action.rawValue), within: limit)
    }

    package func cancel(_ job: some NamesJob) async throws -> JobRecord { try await act(.cancel, on: job) }

    /// An array and its first elements.
    package func array(_ id: JobID, limit: Int? = nil) async throws -> ArrayReport {
        try await call(.GET, Target("arrays", "\(id)").query("limit", limit.map { String($0) }))
    }

    /// Does it to each element to which it can be done; of a large array that takes its time.
    package func act(_ action: JobAction, onArray id: JobID) async throws -> ArrayReport {
        try await call(.POST, Target("arrays", "\(id)", action.rawValue), within: .seconds(600))
    }

    /// What the job has written so far.
    ///
    /// - Parameter tail: only the last so many bytes.
    package func logs(
        _ job: some NamesJob, stream: LogStream = .all, tail: Int? = nil
    ) async throws -> [UInt8] {
        let target = Target("jobs", "\(job.reference)", "logs").query("stream", stream.rawValue)
            .query("tail", tail.map { String($0) })
        return try await exchange(Request(method: .GET, target: target.text))
    }

    package func devices() async throws -> DeviceReport { try await call(.GET, Target("devices")) }

    package func carbon() async throws -> GridReport { try await call(.GET, Target("carbon")) }

    package func report(_ query: ReportQuery = .init()) async throws -> EnergyReport {
        try await call(
            .GET,
            Target("report").query("since", query.since?.precise).query("until", query.until?.precise)
                .query("by", query.by?.rawValue).query("job", query.job?.description)
                .query("basis", query.basis?.rawValue))
    }

    /// Recomputes the whole ledger, which takes its time: minutes for years of history.
    package func audit() async throws -> AuditReport { try await call(.GET, Target("audit"), within: .seconds(3600)) }

    /// One page of the jobs that ran and are over.
    /// - Parameters:
    ///   - after: the `next` of the page before; nil for the first.
    ///   - limit: how many jobs are looked at.
    package func history(
        since: Timestamp? = nil, until: Timestamp? = nil, after: JobID? = nil, limit: Int? = nil
    ) async throws -> HistoryPage {
        try await call(
            .GET,
            Target("history").query("since", since?.precise).query("until", until?.precise)
                .query("after", after?.description).query("limit", limit.map { String($0) }), within: .seconds(120))
    }

    /// The texts of the policy in force.
    package func policyTexts() async throws -> PolicyTexts { try await call(.GET, Target("policy", "files")) }

    package func policy() async throws -> PolicyReport { try await call(.GET, Target("policy")) }

    package func budgets() async throws -> BudgetReport { try await call(.GET, Target("budgets")) }

    package func grant(_ grant: BudgetGrantRequest, to budget: String) async throws -> BudgetReport {
        try await call(.POST, Target("budgets", budget, "grants"), body: Array(JSON.encode(grant)))
    }

    package func reloadPolicy() async throws -> PolicyReload { try await call(.POST, Target("policy", "reload")) }
}
