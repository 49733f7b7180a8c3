import JobAPI
import Synchronization

/// Passes what happens to a job on to those who follow it.
///
/// Followers that do not read lose the oldest events beyond a bound; states are repeated at the end of every stream, so a
/// follower always learns how the job ended.
final class EventHub: Sendable {
    private struct State {
        var next = 0
        var followers: [JobID: [Int: AsyncStream<JobEvent>.Continuation]] = [:]
    }

    private let state = Mutex(State())

    func publish(_ id: JobID, _ event: JobEvent) {
        let followers = state.withLock { $0.followers[id].map { Array($0.values) } ?? [] }
        for follower in followers { follower.yield(event) }
    }

    /// Ends every stream of a job that is over.
    func finish(_ id: JobID) {
        let followers = state.withLock { $0.followers.removeValue(forKey: id).map { Array($0.values) } ?? [] }
        for follower in followers { follower.finish() }
    }

    func subscribe(_ id: JobID) -> AsyncStream<JobEvent> {
        let (stream, continuation) = AsyncStream.makeStream(of: JobEvent.self, bufferingPolicy: .bufferingNewest(1024))
        let key = state.withLock { state in
            state.next += 1
            state.followers[id, default: [:]][state.next] = continuation
            return state.next
        }
        continuation.onTermination = { [weak self] _ in self?.unsubscribe(id, key) }
        return stream
    }

    /// Whether anyone follows the job.
    func isFollowed(_ id: JobID) -> Bool { state.withLock { $0.followers[id]?.isEmpty == false } }

    private func unsubscribe(_ id: JobID, _ key: Int) {
        state.withLock { state in
            state.followers[id]?.removeValue(forKey: key)
            if state.followers[id]?.isEmpty == true { state.followers.removeValue(forKey: id) }
        }
    }
}
