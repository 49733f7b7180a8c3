import LinuxSystem

/// Why a job could not be sandboxed or started.
package struct SandboxError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// The profile asks for something that is refused or does not exist: the submitter can mend it.
        case badProfile = "bad-profile"
        /// This machine cannot give what the policy requires: the admin can mend it.
        case unavailable
        /// A system call failed.
        case system
    }

    package var code: Code
    /// The step that failed, such as `workdir` or `bubblewrap`.
    package var stage: String
    package var message: String
    /// The cause passes by itself: the same may be tried again.
    package var isTransient: Bool

    package init(_ code: Code, stage: String, _ message: String, isTransient: Bool = false) {
        self.code = code
        self.stage = stage
        self.message = message
        self.isTransient = isTransient
    }

    init(_ stage: String, _ error: LinuxError) {
        self.init(.system, stage: stage, error.description, isTransient: error.isTransient)
    }

    package var description: String { "\(stage): \(message)" }
}
