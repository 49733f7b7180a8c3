import NIOCore
import Synchronization

/// Connections that wait for an answer. A stop lets them have it: a submission that was taken, and of which nobody is told whether it
/// was, would be made once more.
final class OpenRequests: Sendable {
    private let waiting = Mutex<Set<ObjectIdentifier>>([])

    /// A connection was taken, or a request came on it.
    func begin(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        guard waiting.withLock({ $0.insert(id).inserted }) else { return }
        channel.closeFuture.whenComplete { _ in _ = self.waiting.withLock { $0.remove(id) } }
    }

    /// It was answered, or goes on being told something for as long as a job runs.
    func end(_ channel: any Channel) { _ = waiting.withLock { $0.remove(ObjectIdentifier(channel)) } }

    /// Returns when all were answered, or after `patience`: one that says nothing holds nobody up.
    func settle(within patience: Duration) async {
        let clock = ContinuousClock()
        let deadline = clock.now + patience
        while !waiting.withLock({ $0.isEmpty }), clock.now < deadline {
            guard (try? await Task.sleep(for: .milliseconds(5))) != nil else { return }
        }
    }
}
