/// Where a job is in its life. See the state diagram in `docs/architecture.md`.
package enum JobState: String, Codable, Sendable, CaseIterable {
    case queued
    case starting
    case running
    case suspended
    case succeeded
    case failed
    case timedOut = "timed-out"
    case cancelled
    case outOfMemory = "out-of-memory"
    /// The machine died under it.
    case lost

    /// No further transition follows.
    package var isFinal: Bool {
        switch self {
        case .queued, .starting, .running, .suspended: false
        case .succeeded, .failed, .timedOut, .cancelled, .outOfMemory, .lost: true
        }
    }

    /// It holds resources and its energy is metered.
    package var isActive: Bool { self == .starting || self == .running || self == .suspended }

    /// The states that may follow this one.
    package var successors: Set<JobState> {
        switch self {
        case .queued: [.starting, .cancelled, .failed]
        case .starting: [.running, .succeeded, .failed, .timedOut, .cancelled, .outOfMemory, .lost, .queued]
        case .running: [.suspended, .succeeded, .failed, .timedOut, .cancelled, .outOfMemory, .lost, .queued]
        case .suspended: [.running, .succeeded, .failed, .timedOut, .cancelled, .outOfMemory, .lost, .queued]
        case .succeeded, .failed, .timedOut, .cancelled, .outOfMemory, .lost: []
        }
    }
}
