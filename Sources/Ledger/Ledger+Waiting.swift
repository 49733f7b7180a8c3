import GRDB
package import JobAPI
package import Units

/// A job that waits, as much of it as its waiting takes: there may be a hundred thousand.
package struct WaitingJob: Sendable {
    package var id: JobID
    package var user: String
    package var uid: UInt32
    package var project: String
    package var queue: String
    package var priority: Int
    package var resources: JobSpec.Resources
    package var timeLimit: Double?
    package var submittedAt: Timestamp
    package var notBefore: Timestamp?
    package var isHeld: Bool
    /// How many there were.
    package var attempts: Int
    package var reason: String
    /// Somebody wanted it to end while it was active, and it came to wait again before that was done.
    package var cancelledBy: String?
    package var array: ArrayPlace?
    package var arrayLimit: Int?
    package var after: [Dependency]
    /// Under which key its likes are known; 0 for none.
    package var likes: UInt64
    package var leeway: Leeway
    package var isTraining: Bool
    /// It may be suspended, by its own word.
    package var isInterruptible: Bool
}

extension Ledger {
    /// Every job that waits, in the order of submission.
    package func waiting() async throws(LedgerError) -> [WaitingJob] {
        try await read("read the queued jobs") { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT id, user, uid, project, queue, attempt, priority, cpus, memory_bytes, gpus, time_limit_s, submitted_us, not_before_us,
                        held, reason, cancelled_by, array_id, array_index, array_limit, after, likes, kind,
                        deadline_us, latest_start_us, interruptible, minimise, defer_rule,
                        COALESCE(json_extract(spec, '$.schedule.interruptible'), 0) AS says_interruptible,
                        \(Self.gpuColumns)
                    FROM jobs WHERE state = 'queued' ORDER BY id
                    """)
            var jobs: [WaitingJob] = []
            while let row = try rows.next() {
                let after: String? = row["after"]
                jobs.append(
                    WaitingJob(
                        id: JobID(row["id"] as Int64), user: row["user"], uid: row["uid"], project: row["project"],
                        queue: row["queue"], priority: row["priority"],
                        resources: Self.resources(row), timeLimit: row["time_limit_s"],
                        submittedAt: Timestamp(microseconds: row["submitted_us"]),
                        notBefore: (row["not_before_us"] as Int64?).map(Timestamp.init(microseconds:)),
                        isHeld: (row["held"] as Int) != 0, attempts: row["attempt"], reason: row["reason"],
                        cancelledBy: row["cancelled_by"],
                        array: Self.arrayPlace(row), arrayLimit: row["array_limit"],
                        after: try after.map(Self.dependencies) ?? [],
                        likes: UInt64(bitPattern: (row["likes"] as Int64?) ?? 0), leeway: Leeway(row),
                        isTraining: row["kind"] == "train", isInterruptible: (row["says_interruptible"] as Int) != 0))
            }
            return jobs
        }
    }

    /// A condition that cannot be read must not be taken for none.
    private static func dependencies(_ text: String) throws -> [Dependency] {
        try text.split(separator: ",").map { word in
            guard let dependency = Dependency(String(word)) else {
                throw LedgerError(
                    .storage, stage: "read the queued jobs", message: "\"\(word)\" in jobs.after is no dependency")
            }
            return dependency
        }
    }

    /// The states of a job, or those that any element of an array is in; empty when there is neither.
    package func states(of job: JobReference) async throws(LedgerError) -> Set<JobState> {
        try await read("read the state of job \(job)") { db in
            let text: String? =
                if let index = job.index {
                    try String.fetchOne(
                        db, sql: "SELECT state FROM jobs WHERE array_id = ? AND array_index = ?",
                        arguments: [job.number, index])
                } else {
                    try String.fetchOne(db, sql: "SELECT state FROM jobs WHERE id = ?", arguments: [job.number])
                }
            if let text { return Set([JobState(rawValue: text)].compactMap(\.self)) }
            if job.index != nil { return [] }
            // A question for each state, so that an array of any size is answered at once.
            let exists = try db.cachedStatement(
                sql: "SELECT EXISTS (SELECT 1 FROM jobs WHERE array_id = ? AND state = ?)")
            return try Set(
                JobState.allCases.filter { state in
                    try Bool.fetchOne(exists, arguments: [job.number, state.rawValue]) ?? false
                })
        }
    }

    /// The number of an element; nil when there is no such array or element.
    package func element(_ place: ArrayPlace) async throws(LedgerError) -> JobID? {
        try await read("find job \(place.id).\(place.index)") { db in
            try Int64.fetchOne(
                db, sql: "SELECT id FROM jobs WHERE array_id = ? AND array_index = ?",
                arguments: [place.id.number, place.index]
            ).map { JobID($0) }
        }
    }

    /// How many elements of an array are in each state; empty when there is no such array.
    package func elementCounts(of array: JobID) async throws(LedgerError) -> [JobState: Int] {
        try await read("count the jobs of array \(array)") { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT state, COUNT(*) AS jobs FROM jobs WHERE array_id = ? GROUP BY state",
                arguments: [array.number])
            return Dictionary(
                rows.compactMap { row in
                    JobState(rawValue: row["state"]).map { ($0, row["jobs"]) }
                }, uniquingKeysWith: +)
        }
    }

    /// The elements of an array in the order of their index, at most `limit`.
    package func elements(of array: JobID, limit: Int) async throws(LedgerError) -> [StoredJob] {
        try await read("read the jobs of array \(array)") { db in
            try Self.fetchJobs(
                db, where: "jobs.array_id = ? ORDER BY jobs.array_index LIMIT ?", [array.number, limit])
        }
    }

    /// The first elements of an array as the API shows them, in order of their index.
    package func records(ofArray array: JobID, limit: Int) async throws(LedgerError) -> [JobRecord] {
        try await read("list the jobs of array \(array)") { db in
            try Self.fetchRecords(
                db, where: "jobs.array_id = ? ORDER BY jobs.array_index LIMIT ?", [array.number, limit])
        }
    }

    /// The numbers of those elements of an array that are in one of these states.
    package func elements(
        of array: JobID, in states: Set<JobState>
    ) async throws(LedgerError) -> [JobID] {
        try await read("find the jobs of array \(array)") { db in
            let names = states.map { "'\($0.rawValue)'" }.joined(separator: ",")
            return try Int64.fetchAll(
                db, sql: "SELECT id FROM jobs WHERE array_id = ? AND state IN (\(names)) ORDER BY array_index",
                arguments: [array.number]
            ).map { JobID($0) }
        }
    }
}
