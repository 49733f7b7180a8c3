import FoundationEssentials
import GRDB
package import JobAPI
package import Units

/// A job as it stands on disk, with what the daemon needs to go on with it after a restart.
package struct StoredJob: Sendable {
    package var record: JobRecord
    package var spec: JobSpec
    package var gid: UInt32
    package var priority: Int
    /// Nil for a job that nobody holds.
    package var holder: Holder?
    package var rule: String?
    package var notBefore: Timestamp?
    package var timeLimit: Double?
    /// When its last attempt started; ``JobRecord/startedAt`` is of the first.
    package var attemptStartedAt: Timestamp?
    package var bootID: String?
    package var supervisorPID: Int32?
    package var supervisorStart: UInt64?
    package var cgroup: String?
    /// Who asked for its end while it was active.
    package var cancelledBy: String?
    /// Up to where the event file of the attempt has been read.
    package var eventsOffset: Int64
    /// Who asked for it to stop and wait again while it was active.
    package var requeuedBy: String?
    /// How many of its retries are used up.
    package var retried: Int
    /// How many elements of its array may run at once.
    package var arrayLimit: Int?
    /// Seconds in which its last attempt was suspended, up to the last time it went on.
    package var suspendedSeconds: Double
    /// Those of them in which its owner had suspended it.
    package var ownerSuspendedSeconds: Double
    /// Since when its owner has suspended it; nil where it runs, or another did.
    package var ownerSuspendedSince: Timestamp?
    /// Which CPUs and GPUs its last attempt holds or held; nil where that is not known.
    package var placement: Placement?
    package var leeway: Leeway
}

/// Which jobs to list, newest first.
package struct JobFilter: Sendable {
    package var states: Set<JobState>?
    package var user: String?
    package var limit: Int

    package init(states: Set<JobState>? = nil, user: String? = nil, limit: Int = 100) {
        self.states = states
        self.user = user
        self.limit = limit
    }
}

extension Ledger {
    /// Every job that holds resources, as far as the ledger knows, in the order of submission; and those whose row cannot be read,
    /// with the reason.
    package func active() async throws(LedgerError) -> (jobs: [StoredJob], unreadable: [JobID: String]) {
        try await read("read the active jobs") { db in
            let ids = try Int64.fetchAll(
                db, sql: "SELECT id FROM jobs WHERE state IN ('starting', 'running', 'suspended') ORDER BY id")
            return try Self.fetchReadable(db, ids.map(JobID.init), withEnergy: true)
        }
    }

    /// The jobs of these numbers in their order, without their energy; and those whose row cannot be read, with the reason.
    package func jobs(
        numbered ids: [JobID]
    ) async throws(LedgerError) -> (jobs: [StoredJob], unreadable: [JobID: String]) {
        try await read("read the jobs to start") { db in
            try Self.fetchReadable(db, ids, withEnergy: false)
        }
    }

    private static func fetchReadable(
        _ db: Database, _ ids: [JobID], withEnergy: Bool
    ) throws -> (jobs: [StoredJob], unreadable: [JobID: String]) {
        var jobs: [StoredJob] = []
        var unreadable: [JobID: String] = [:]
        for id in ids {
            do {
                jobs += try fetchJobs(db, where: "jobs.id = ?", [id.number], withEnergy: withEnergy)
            } catch let error as DatabaseError {
                throw error
            } catch {
                unreadable[id] = "\(error)"
            }
        }
        return (jobs, unreadable)
    }

    package func job(_ id: JobID) async throws(LedgerError) -> StoredJob? {
        try await read("read job \(id)") { db in
            try Self.fetchJobs(db, where: "jobs.id = ?", [id.number]).first
        }
    }

    /// The jobs as the API lists them.
    package func jobs(_ filter: JobFilter) async throws(LedgerError) -> [JobRecord] {
        try await read("list jobs") { db in
            var conditions = ["1"]
            var arguments = StatementArguments()
            if let states = filter.states {
                conditions.append("state IN (\(states.map { "'\($0.rawValue)'" }.joined(separator: ",")))")
            }
            if let user = filter.user {
                conditions.append("user = ?")
                arguments += [user]
            }
            arguments += [filter.limit]
            return try Self.fetchRecords(
                db, where: conditions.joined(separator: " AND ") + " ORDER BY jobs.id DESC LIMIT ?", arguments)
        }
    }

    package func transitions(of id: JobID) async throws(LedgerError) -> [Transition] {
        try await read("read the transitions of job \(id)") { db in
            try Row.fetchAll(
                db, sql: "SELECT at_us, from_state, to_state, cause FROM transitions WHERE job_id = ? ORDER BY id",
                arguments: [id.number]
            ).compactMap { row in
                guard let to = JobState(rawValue: row["to_state"]) else { return nil }
                let from: String? = row["from_state"]
                return Transition(
                    at: Timestamp(microseconds: row["at_us"]), from: from.flatMap(JobState.init(rawValue:)), to: to,
                    cause: row["cause"])
            }
        }
    }

    /// What the sandbox enforced in the last attempt.
    package func enforced(of id: JobID) async throws(LedgerError) -> [String] {
        try await read("read the sandbox record of job \(id)") { db in
            let text = try String.fetchOne(
                db, sql: "SELECT enforced FROM attempts WHERE job_id = ? ORDER BY number DESC LIMIT 1",
                arguments: [id.number])
            return try text.map { try JSON.decode([String].self, from: Data($0.utf8)) } ?? []
        }
    }

    static func fetchJobs(
        _ db: Database, where condition: String, _ arguments: StatementArguments, withEnergy: Bool = true
    ) throws -> [StoredJob] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT jobs.*, \(gpuColumns), a.started_us AS attempt_started_us, a.boot_id, a.supervisor_pid, a.supervisor_start,
                    a.cgroup, a.progress, a.events_offset, a.suspended_us,
                    a.owner_suspended_us, a.owner_since_us, a.placement
                FROM jobs LEFT JOIN attempts a ON a.job_id = jobs.id AND a.number = jobs.attempt
                WHERE \(condition)
                """, arguments: arguments)
        let frontiers = withEnergy ? try Frontiers(db) : nil
        return try rows.map { try storedJob(db, $0, frontiers) }
    }

    /// Without what takes long to read and is not shown in a list: the whole of what was submitted.
    static func fetchRecords(
        _ db: Database, where condition: String, _ arguments: StatementArguments
    ) throws -> [JobRecord] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT jobs.id, jobs.array_id, jobs.array_index, jobs.name, jobs.user, jobs.uid, jobs.project, jobs.queue,
                    jobs.kind, jobs.state, jobs.reason, jobs.attempt, jobs.submitted_us, jobs.started_us, jobs.ended_us,
                    jobs.exit_status, jobs.signal, jobs.cpus, jobs.memory_bytes, jobs.gpus, jobs.time_limit_s, a.progress,
                    \(gpuColumns)
                FROM jobs LEFT JOIN attempts a ON a.job_id = jobs.id AND a.number = jobs.attempt
                WHERE \(condition)
                """, arguments: arguments)
        let frontiers = try Frontiers(db)
        return try rows.map { try record(db, $0, frontiers) }
    }

    private static func record(_ db: Database, _ row: Row, _ frontiers: Frontiers?) throws -> JobRecord {
        let id = JobID(row["id"] as Int64)
        let text: String = row["state"]
        guard let state = JobState(rawValue: text) else {
            throw LedgerError(.storage, stage: "read job \(id)", message: "unknown state \"\(text)\"")
        }
        let progress: String? = row["progress"]
        let started: Int64? = row["started_us"]
        let ended: Int64? = row["ended_us"]
        return JobRecord(
            id: id, array: arrayPlace(row), name: row["name"], user: row["user"], uid: row["uid"],
            project: row["project"],
            queue: row["queue"], kind: row["kind"], state: state, reason: row["reason"], attempt: row["attempt"],
            submittedAt: Timestamp(microseconds: row["submitted_us"]),
            startedAt: started.map(Timestamp.init(microseconds:)), endedAt: ended.map(Timestamp.init(microseconds:)),
            exitStatus: row["exit_status"], signal: row["signal"],
            resources: resources(row),
            energy: try frontiers.map { try figures(db, of: id.number, $0) } ?? EnergyFigures(),
            progress: try progress.map { try JSON.decode(Progress.self, from: Data($0.utf8)) })
    }

    private static func storedJob(_ db: Database, _ row: Row, _ frontiers: Frontiers?) throws -> StoredJob {
        let start: Int64? = row["supervisor_start"]
        // What is none, in a file that people may edit, must not keep the daemon from its jobs: then it is not known.
        let placement = (row["placement"] as String?).flatMap { try? JSON.decode(Placement.self, from: Data($0.utf8)) }
        return StoredJob(
            record: try record(db, row, frontiers),
            spec: try JSON.decode(JobSpec.self, from: Data((row["spec"] as String).utf8)), gid: row["gid"],
            priority: row["priority"],
            holder: Holder(rawValue: row["held"]),
            rule: row["rule"],
            notBefore: (row["not_before_us"] as Int64?).map(Timestamp.init(microseconds:)),
            timeLimit: row["time_limit_s"],
            attemptStartedAt: (row["attempt_started_us"] as Int64?).map(Timestamp.init(microseconds:)),
            bootID: row["boot_id"],
            supervisorPID: row["supervisor_pid"], supervisorStart: start.map(UInt64.init(clamping:)),
            cgroup: row["cgroup"], cancelledBy: row["cancelled_by"],
            eventsOffset: (row["events_offset"] as Int64?) ?? 0,
            requeuedBy: row["requeued_by"], retried: row["retried"], arrayLimit: row["array_limit"],
            suspendedSeconds: Double((row["suspended_us"] as Int64?) ?? 0) / 1e6,
            ownerSuspendedSeconds: Double((row["owner_suspended_us"] as Int64?) ?? 0) / 1e6,
            ownerSuspendedSince: (row["owner_since_us"] as Int64?).map(Timestamp.init(microseconds:)),
            placement: placement,
            leeway: Leeway(row))
    }

    static func arrayPlace(_ row: Row) -> ArrayPlace? {
        guard let array = row["array_id"] as Int64?, let index = row["array_index"] as Int? else { return nil }
        return ArrayPlace(id: JobID(array), index: index)
    }
}
