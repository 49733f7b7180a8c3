import JobAPI
import Synchronization

extension JobClient {
    /// The longest that a daemon is away without being gone: a start that copies a large ledger first may take 15 minutes.
    package static let longestPause = Duration.seconds(900)

    /// What a daemon that was there answers with an end of the connection so often is not sent again: it may be what ends it.
    private static let mostBroken = 5

    /// Without an answer for so long, whoever waits is told.
    private static let longestSilence = Duration.seconds(10)

    /// Sends a request, and again where that can do no harm: where it did not get in, and, if it persists, where the daemon that was
    /// there went away before it answered. It does so until it is cancelled.
    func persist(_ request: Request, _ tries: Tries) async throws -> [UInt8] {
        var pause = Duration.milliseconds(50)
        var broken = 0
        while true {
            do { return try await attempt(request) } catch let error as ClientError {
                switch error {
                // Nothing was sent.
                case .busy: break
                case .broken where request.persists && broken + 1 < Self.mostBroken: broken += 1
                case .unreachable where broken > 0: break
                default: throw error
                }
                tries.note(broken > 0 ? error.afterBroken(request.name) : error)
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(5))
        }
    }

    /// What went wrong last, for whoever gives up.
    final class Tries: Sendable {
        private let state = Mutex<ClientError?>(nil)

        var last: ClientError? { state.withLock { $0 } }
        func note(_ error: ClientError) { state.withLock { $0 = error } }
    }

    /// Says once that it goes on.
    func tellOfSilence(_ limit: Duration) async throws {
        try await Task.sleep(for: Self.longestSilence)
        let minutes = limit.components.seconds / 60
        note("mlctl: no answer yet from the daemon on \(socket); this waits for it for \(minutes) minutes at most")
    }
}

extension ClientError {
    /// The same of a request that was sent before, in a connection that broke: it may have been taken then.
    func afterBroken(_ call: String) -> ClientError {
        switch self {
        case .unreachable(_, let cause): .broken(call: call, cause: "no answer came, and then \(cause)")
        case .busy: .broken(call: call, cause: "no answer came, and then more clients waited than fit")
        default: self
        }
    }
}
