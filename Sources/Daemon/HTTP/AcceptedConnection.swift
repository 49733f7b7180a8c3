import HummingbirdCore
import Logging
import NIOCore
import Synchronization

/// A connection with its handlers, to be served once.
///
/// One that comes while the server closes reaches nobody: it is closed when it is let go. An asynchronous channel that nobody
/// finishes ends the process.
final class AcceptedConnection: Sendable {
    private let value: HTTP1Channel.Value
    private let isServed = Mutex(false)

    init(_ value: HTTP1Channel.Value) { self.value = value }

    /// Until the client or the server closes it.
    func serve(with channel: HTTP1Channel, logger: Logger) async {
        isServed.withLock { $0 = true }
        await channel.handle(value: value, logger: logger)
    }

    deinit {
        guard !isServed.withLock({ $0 }) else { return }
        // On its own: whoever lets go of it cannot wait.
        Task { [value] in try? await value.executeThenClose { _, _ in } }
    }
}
