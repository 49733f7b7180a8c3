/// Why a calibration came to nothing.
package enum CalibrationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Someone asked it to stop.
    case interrupted
    /// What was tried, what happened, and what to do about it.
    case failed(stage: String, message: String, advice: String)

    package var description: String {
        switch self {
        case .interrupted: "interrupted; nothing was written"
        case .failed(let stage, let message, let advice): "\(stage): \(message); \(advice)"
        }
    }
}
