import Synchronization

/// A wait that somebody else can end early.
final class Pause: Sendable {
    private let sleeper = Mutex<Task<Void, Never>?>(nil)

    /// Returns after `duration`, or when ``end()`` is called or the caller is cancelled.
    func sleep(for duration: Duration) async {
        let task = Task<Void, Never> {
            // Ended early or not, the wait is over.
            _ = try? await Task.sleep(for: duration, tolerance: .milliseconds(50))
        }
        sleeper.withLock { $0 = task }
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        sleeper.withLock { $0 = nil }
    }

    func end() { sleeper.withLock { $0?.cancel() } }
}
