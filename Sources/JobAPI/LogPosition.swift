/// How far a follower is in a job's output: bytes from the very first of each stream. As the id of an event, `STDOUT.STDERR`.
package struct LogPosition: Hashable, Sendable, CustomStringConvertible {
    package var stdout: Int64
    package var stderr: Int64

    package init(stdout: Int64 = 0, stderr: Int64 = 0) {
        self.stdout = stdout
        self.stderr = stderr
    }

    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int64($0) }
        guard parts.count == 2, let stdout = parts[0], let stderr = parts[1], stdout >= 0, stderr >= 0 else {
            return nil
        }
        self.init(stdout: stdout, stderr: stderr)
    }

    package var description: String { "\(stdout).\(stderr)" }
}
