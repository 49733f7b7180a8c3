import GRDB
import Synchronization

/// Joins the writes that come while one is being committed into the next transaction: they share one sync of the disk, which
/// is what a commit costs.
///
/// Each write is all or nothing on its own: what fails is rolled back to where it began, and the others stay. Nobody is
/// answered before the transaction is on the disk.
final class CommitQueue: Sendable {
    /// More than these are left to the next transaction, so that the first need not wait for ever.
    private static let largestBatch = 256

    private struct Entry: Sendable {
        /// Does its work, and keeps the result for the answer.
        let run: @Sendable (Database) throws -> Void
        /// Gives the answer: the result, or why there is none.
        let answer: @Sendable ((any Error)?) -> Void
    }

    private struct State {
        var waiting: [Entry] = []
        var isWorking = false
    }

    private let pool: DatabasePool
    private let state = Mutex(State())

    init(_ pool: DatabasePool) {
        self.pool = pool
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let kept = Kept<T>()
            let entry = Entry(
                run: { db in
                    let value = try body(db)
                    kept.value.withLock { $0 = value }
                },
                answer: { problem in
                    if let problem { return continuation.resume(throwing: problem) }
                    guard let value = kept.value.withLock({ $0 }) else {
                        return continuation.resume(throwing: DatabaseError(message: "a write left no result"))
                    }
                    continuation.resume(returning: value)
                })
            let mustStart = state.withLock { state in
                state.waiting.append(entry)
                defer { state.isWorking = true }
                return !state.isWorking
            }
            if mustStart { pool.asyncWriteWithoutTransaction { self.work($0) } }
        }
    }

    /// Commits batch after batch until nothing waits, on the writer's queue.
    private func work(_ db: Database) {
        while true {
            let batch = state.withLock { state in
                let batch = Array(state.waiting.prefix(Self.largestBatch))
                state.waiting.removeFirst(batch.count)
                if batch.isEmpty { state.isWorking = false }
                return batch
            }
            if batch.isEmpty { return }
            if batch.count == 1 || !commit(together: batch, db) {
                for entry in batch { commit(alone: entry, db) }
            }
        }
    }

    private func commit(alone entry: Entry, _ db: Database) {
        do {
            try db.inTransaction(.immediate) {
                try entry.run(db)
                return .commit
            }
            entry.answer(nil)
        } catch {
            entry.answer(error)
        }
    }

    /// - Returns: false when the transaction as a whole came to nothing and each may be tried alone; no one was answered then.
    private func commit(together batch: [Entry], _ db: Database) -> Bool {
        var problems = [(any Error)?](repeating: nil, count: batch.count)
        var hasBegun = false
        do {
            try db.inTransaction(.immediate) {
                hasBegun = true
                for (index, entry) in batch.enumerated() {
                    do {
                        try db.inSavepoint {
                            try entry.run(db)
                            return .commit
                        }
                    } catch {
                        // A full disk may have taken the whole transaction back, and the work of the others with it.
                        guard db.isInsideTransaction else { throw error }
                        problems[index] = error
                    }
                }
                return .commit
            }
        } catch {
            if hasBegun { return false }
            // Somebody else holds the ledger, for longer than we wait. To wait as long for each of them would hold up all others.
            for entry in batch { entry.answer(error) }
            return true
        }
        for (entry, problem) in zip(batch, problems) { entry.answer(problem) }
        return true
    }
}

/// A place that two closures share.
private final class Kept<T: Sendable>: Sendable {
    let value = Mutex<T?>(nil)
}
