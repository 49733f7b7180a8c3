import Synchronization
import Units

/// A wait until a time that others can end early. Unlike ``Pause`` it does not lose a ring that comes before the wait.
final class Alarm: Sendable {
    private struct State {
        var isRung = false
        var sleeper: Task<Void, Never>?
    }

    private let state = Mutex(State())

    /// Returns at `time`, when ``ring()`` was called since the last wait, or when the caller is cancelled.
    /// - Parameter time: nil to wait for a ring alone, without a timer.
    func wait(until time: Timestamp?) async {
        let task: Task<Void, Never>? = state.withLock { state in
            if state.isRung {
                state.isRung = false
                return nil
            }
            let task = Task {
                // Ended early or not, the wait is over.
                let delay = time.map { max(.zero, $0.since(.now())) } ?? Self.forEver
                _ = try? await Task.sleep(for: delay, tolerance: .zero)
            }
            state.sleeper = task
            return task
        }
        guard let task else { return }
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        state.withLock { $0 = State() }
    }

    func ring() {
        state.withLock { state in
            state.isRung = true
            state.sleeper?.cancel()
        }
    }

    /// A timer so far away fires never.
    private static let forEver = Duration.seconds(30 * 31_557_600)
}
