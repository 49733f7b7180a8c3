import JobAPI
import JobClient

/// Waits until every job of an array has ended, also across a restart of the daemon. It asks now and then how many are in which
/// state, since an array may have far more jobs than can be followed one by one.
struct ArrayFollower {
    var client: JobClient
    var id: JobID
    /// The first pause between two looks, and the longest.
    var pause = Duration.milliseconds(200)
    var longestPause = Duration.seconds(2)
    /// How long to go on trying after losing the daemon.
    var patience = Duration.seconds(300)
    /// Takes a line for the person who waits.
    var note: @Sendable (String) -> Void = { _ in }

    /// - Returns: the array once it has ended.
    func run() async throws -> ArrayReport {
        var (next, waited) = (pause, Duration.zero)
        var isTold = false
        while true {
            do {
                let array = try await client.array(id, limit: 1)
                if array.isOver { return array }
                waited = .zero
            } catch let error as ClientError {
                guard error.isPassing, waited < patience else { throw error }
                if !isTold {
                    note("mlctl: lost the daemon; array \(id) goes on, and so does this once the daemon is back")
                }
                isTold = true
                waited += next
            }
            try await Task.sleep(for: next)
            next = min(next * 3 / 2, longestPause)
        }
    }
}

extension ArrayReport {
    /// Whether none of its jobs may still change. A state this release does not know may.
    var isOver: Bool { states.allSatisfy { $0.value == 0 || JobState(rawValue: $0.key)?.isFinal == true } }

    var hasSucceeded: Bool { states.allSatisfy { $0.value == 0 || $0.key == JobState.succeeded.rawValue } }
}
