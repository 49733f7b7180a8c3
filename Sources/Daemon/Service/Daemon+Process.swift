import Glibc
import JobAPI

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

    package static func complain(_ message: String) {
        let line = "mld: \(message)\n"
        _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }
}
