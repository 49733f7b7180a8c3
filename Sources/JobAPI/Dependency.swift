/// What must have become of another job before this one may start: `41:succeeded` in a job file and on the wire.
package struct Dependency: Hashable, Sendable {
    package enum Condition: String, CaseIterable, Sendable {
        /// The other succeeded; the usual one, meant by `41` alone.
        case succeeded
        /// It ended in another way, and not because somebody cancelled it.
        case failed
        /// It ended, however it did.
        case ended
    }

    package enum Verdict: Hashable, Sendable { case met, pending, impossible }

    package var job: JobReference
    package var condition: Condition

    package init(_ job: JobReference, _ condition: Condition = .succeeded) {
        self.job = job
        self.condition = condition
    }

    /// Reads `41`, `41:ended` or `42.7:failed`; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let job = JobReference(String(parts[0])) else { return nil }
        if parts.count == 1 {
            self.init(job)
        } else if let condition = Condition(rawValue: String(parts[1])) {
            self.init(job, condition)
        } else {
            return nil
        }
    }

    /// Whether a job in this state is what is waited for.
    package func verdict(on state: JobState) -> Verdict {
        guard state.isFinal else { return .pending }
        let isMet =
            switch condition {
            case .succeeded: state == .succeeded
            case .failed: state != .succeeded && state != .cancelled
            case .ended: true
            }
        return isMet ? .met : .impossible
    }

    /// Of several jobs (an array) each must be what is waited for; one that cannot be settles it.
    package func verdict(on states: some Sequence<JobState>) -> Verdict {
        var isPending = false
        for state in states {
            switch verdict(on: state) {
            case .met: continue
            case .pending: isPending = true
            case .impossible: return .impossible
            }
        }
        return isPending ? .pending : .met
    }
}

extension Dependency: CustomStringConvertible {
    package var description: String { "\(job):\(condition.rawValue)" }
}

extension Dependency: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let dependency = Dependency(text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "\"\(text.prefix(40))\" is not a job and a condition, as in \"41:succeeded\"")
        }
        self = dependency
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
