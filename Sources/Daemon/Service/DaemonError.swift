/// The daemon cannot start or go on.
package struct DaemonError: Error, Sendable, CustomStringConvertible {
    /// What we were doing: `lock`, `bind`, `policy`.
    package var stage: String
    package var message: String
    package var hint: String?

    package init(stage: String, message: String, hint: String? = nil) {
        self.stage = stage
        self.message = message
        self.hint = hint
    }

    package var description: String {
        "\(stage): \(message)" + (hint.map { " (\($0))" } ?? "")
    }
}

/// The text of an errno.
func errnoText(_ code: Int32) -> String { String(cString: strerror(code)) }

import Glibc
