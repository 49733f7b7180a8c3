import FoundationEssentials
import Policy

/// The admin's policy directory.
enum PolicyFiles {
    /// The policy of all `*.toml` files in name order; the built-in one where there are none.
    static func load(_ directory: String) throws -> PolicySet {
        let files = try read(directory)
        return files.isEmpty ? PolicySet.builtIn : try PolicySet.load(files: files)
    }

    /// The same files as one text, for the record.
    static func text(_ directory: String) throws -> String {
        try read(directory).map { "# \($0.name)\n\($0.text)" }.joined(separator: "\n")
    }

    private static func read(_ directory: String) throws -> [(name: String, text: String)] {
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory), isDirectory else {
            return []
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: directory)
        return try names.filter { $0.hasSuffix(".toml") && !$0.hasPrefix(".") }.sorted().map { name in
            let path = directory + "/" + name
            guard let text = try TextFile.read(path, isRequired: true) else {
                throw DaemonError(stage: "policy", message: "\(path) vanished while it was read")
            }
            return (path, text)
        }
    }
}
