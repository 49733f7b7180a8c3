/// The machine's memory, from `/proc/meminfo`.
package struct MemoryInfo: Sendable, Hashable {
    /// Physical memory the kernel manages (`MemTotal`), in bytes.
    package var totalBytes: Int64
    /// What can be had without swapping (`MemAvailable`), in bytes; nil on kernels that do not say.
    package var availableBytes: Int64?

    package init(roots: SystemRoots) throws(SystemFileError) {
        let path = roots.procfs + "/meminfo"
        try self.init(parsing: SystemFile.text(path, limit: 64 * 1024), path: path)
    }

    package init(parsing text: String, path: String) throws(SystemFileError) {
        var values: [Substring: Int64] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 2)
            // The kernel writes "kB" and means 1,024 bytes. 2^53 bytes are 9 PB.
            guard words.count == 3, words[2] == "kB", let kibibytes = Int64(words[1]), (0..<1 << 43).contains(kibibytes)
            else { continue }
            values[words[0].dropLast()] = kibibytes << 10
        }
        guard let total = values["MemTotal"], total > 0 else {
            throw SystemFileError(.garbage, path: path, message: "no MemTotal")
        }
        totalBytes = total
        availableBytes = values["MemAvailable"]
    }
}
