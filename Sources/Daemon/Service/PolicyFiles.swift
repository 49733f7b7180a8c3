import Glibc
import LinuxSystem
import Logging
import Policy

/// The admin's policy directory.
enum PolicyFiles {
    /// The policy of all `*.toml` files in name order, and their text for the record; the built-in policy where there are
    /// none.
    static func load(_ directory: String) throws -> (policy: PolicySet, text: String) {
        let files = try read(directory)
        let text = files.map { "# \($0.name)\n\($0.text)" }.joined(separator: "\n")
        return (files.isEmpty ? PolicySet.builtIn : try PolicySet.load(files: files), text)
    }

    /// What is right in the files and will not do what it seems to.
    static func tell(of policy: PolicySet, _ logger: Logger) {
        for problem in policy.warnings { logger.warning("policy: \(problem)") }
    }

    private static func read(_ directory: String) throws -> [(name: String, text: String)] {
        // No directory is no policy files; one that cannot be read is a mistake.
        guard access(directory, F_OK) == 0 else { return [] }
        let names = try SystemFile.names(in: directory)
        return try names.filter { $0.hasSuffix(".toml") && !$0.hasPrefix(".") }.map { name in
            (directory + "/" + name, try SystemFile.text(directory + "/" + name, limit: 1 << 20))
        }
    }
}
