import Glibc
import JobAPI
import Logging

// What the program around the daemon needs from its own process.
extension Daemon {
    package static var version: String { mldVersion }

    package static func environment() -> [String: String] {
        var result: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { result[String(parts[0])] = String(parts[1]) }
            entry += 1
        }
        return result
    }

    /// Where this program's file is, links resolved.
    package static func executablePath() -> String {
        guard let path = realpath("/proc/self/exe", nil) else { return "mld" }
        defer { free(path) }
        return String(cString: path)
    }

    /// Says why it ends: in the journal as an error, which is what an admin looks for.
    package static func complain(_ message: String) {
        let sink = JournalLogHandler.Sink.standardError()
        if case .lines = sink {
            let line = "mld: \(message)\n"
            _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
        } else {
            Logger(label: "mld", factory: { _ in JournalLogHandler(sink: sink) }).error("mld: \(message)")
        }
    }
}
