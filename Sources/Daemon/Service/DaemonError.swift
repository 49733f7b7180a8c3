import Glibc
import LinuxSystem

/// The daemon cannot start or go on.
package struct DaemonError: Error, Sendable, CustomStringConvertible {
    /// What we were doing: `lock`, `bind`, `policy`.
    package var stage: String
    package var message: String
    package var hint: String?
    /// Room, descriptors or memory are used up: it passes by itself, or with an admin's help.
    package var isTransient: Bool

    package init(stage: String, message: String, hint: String? = nil, isTransient: Bool = false) {
        self.stage = stage
        self.message = message
        self.hint = hint
        self.isTransient = isTransient
    }

    /// A system call that failed.
    init(stage: String, _ what: String, errno code: Int32) {
        self.init(
            stage: stage, message: "cannot \(what): \(errnoText(code))", isTransient: LinuxError.isTransient(code))
    }

    package var description: String {
        "\(stage): \(message)" + (hint.map { " (\($0))" } ?? "")
    }
}

/// The text of an errno.
func errnoText(_ code: Int32) -> String { String(cString: strerror(code)) }
