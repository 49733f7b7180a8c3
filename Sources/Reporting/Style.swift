import JobAPI

/// How output may look: plain for pipes and files, with colour and a width for terminals.
package struct Style: Hashable, Sendable {
    package var colour: Bool
    /// Columns of the terminal; nil for no limit.
    package var width: Int?

    package static let plain = Style(colour: false, width: nil)

    package init(colour: Bool, width: Int?) {
        self.colour = colour
        self.width = width
    }

    package enum Tint: String, Sendable {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case cyan = "36"
    }

    func tinted(_ text: String, _ tint: Tint?) -> String {
        guard colour, let tint, !text.isEmpty else { return text }
        return "\u{1b}[\(tint.rawValue)m\(text)\u{1b}[0m"
    }
}

extension JobState {
    var tint: Style.Tint? {
        switch self {
        case .queued, .suspended: .yellow
        case .starting, .running: .cyan
        case .succeeded: .green
        case .failed, .timedOut, .outOfMemory, .lost: .red
        case .cancelled: .dim
        }
    }
}
