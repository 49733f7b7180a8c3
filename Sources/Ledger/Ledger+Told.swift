import GRDB
package import JobAPI
import Synchronization
package import Units

/// A change of a job's state as it is told to the journal.
package struct ToldTransition: Sendable, Hashable {
    /// Rises with every transition of the ledger.
    package var number: Int64
    package var job: JobID
    package var user: String
    package var attempt: Int
    package var from: JobState?
    package var to: JobState
    package var cause: String
    package var at: Timestamp
}

extension Ledger {
    /// The last transition there is.
    package func lastTransition() async throws(LedgerError) -> Int64 {
        try await read("find the last transition") { db in
            try Int64.fetchOne(db, sql: "SELECT MAX(id) FROM transitions") ?? 0
        }
    }

    /// Those that follow, in their order.
    package func transitions(after number: Int64, limit: Int = 500) async throws(LedgerError) -> [ToldTransition] {
        try await read("read transitions") { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT t.id, t.job_id, t.at_us, t.from_state, t.to_state, t.cause, j.user, j.attempt
                    FROM transitions t JOIN jobs j ON j.id = t.job_id WHERE t.id > ? ORDER BY t.id LIMIT ?
                    """, arguments: [number, limit])
            return rows.compactMap { row in
                guard let to = JobState(rawValue: row["to_state"]) else { return nil }
                return ToldTransition(
                    number: row["id"], job: JobID(row["job_id"] as Int64), user: row["user"], attempt: row["attempt"],
                    from: (row["from_state"] as String?).flatMap(JobState.init(rawValue:)), to: to, cause: row["cause"],
                    at: Timestamp(microseconds: row["at_us"]))
            }
        }
    }

    /// Something to wait for: an element after each commit that wrote transitions, or several such. Ends with the ledger.
    package func transitionsWritten() -> AsyncStream<Void> {
        let (stream, feed) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let observer = TransitionsObserver { feed.yield() }
        pool.add(transactionObserver: observer, extent: .databaseLifetime)
        feed.onTermination = { [weak observer] _ in observer?.stop() }
        return stream
    }
}

/// Sees inserts that are committed; what was rolled back it forgets.
private final class TransitionsObserver: TransactionObserver, Sendable {
    private let tell: @Sendable () -> Void
    private let state = Mutex((hasSome: false, isStopped: false))

    init(_ tell: @escaping @Sendable () -> Void) {
        self.tell = tell
    }

    func stop() { state.withLock { $0.isStopped = true } }

    func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool {
        if case .insert("transitions") = eventKind { true } else { false }
    }

    func databaseDidChange(with event: DatabaseEvent) { state.withLock { $0.hasSome = true } }

    func databaseDidCommit(_ db: Database) {
        let mustTell = state.withLock { state in
            defer { state.hasSome = false }
            return state.hasSome && !state.isStopped
        }
        if mustTell { tell() }
    }

    func databaseDidRollback(_ db: Database) { state.withLock { $0.hasSome = false } }
}
