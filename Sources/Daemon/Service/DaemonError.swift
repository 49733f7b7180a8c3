/// The daemon cannot start or go on.
package struct DaemonError: Error, Sendable, CustomStringConvertible {
    /// What we were doing: `lock`, `bind`, `policy`.
    package var stage: String
    package var message: String
    package var hint: String?
    /// The disk or the quota is used up: it passes by itself, or with an admin's help.
    package var isFull: Bool

    package init(stage: String, message: String, hint: String? = nil, isFull: Bool = false) {
        self.stage = stage
        self.message = message
        self.hint = hint
        self.isFull = isFull
    }

    /// A system call that failed.
    init(stage: String, _ what: String, errno code: Int32) {
        self.init(
            stage: stage, message: "cannot \(what): \(errnoText(code))", isFull: code == ENOSPC || code == EDQUOT)
    }

    package var description: String {
        "\(stage): \(message)" + (hint.map { " (\($0))" } ?? "")
    }
}

/// The text of an errno.
func errnoText(_ code: Int32) -> String { String(cString: strerror(code)) }

import Glibc
