/// Why a calibration came to nothing.
package enum CalibrationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Someone asked it to stop.
    case interrupted
    /// What was tried, what happened, and what to do about it.
    case failed(stage: String, message: String, advice: String)

    /// What the program ends with: as a shell tells of an end by SIGINT.
    package var exitCode: Int32 { self == .interrupted ? 130 : 1 }

    package var description: String {
        switch self {
        case .interrupted: "interrupted; nothing was written"
        case .failed(let stage, let message, let advice): "\(stage): \(message); \(advice)"
        }
    }
}
