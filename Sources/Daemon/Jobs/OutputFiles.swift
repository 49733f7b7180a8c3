import Glibc
import JobAPI
import Ledger
import Logging

/// What a job left in its output directory.
///
/// The directory is its user's, who may change it while we look: names are opened one below the other, links are not followed,
/// and the look is bounded.
struct OutputFiles {
    static let maximumFiles = 1000
    static let maximumDepth = 8
    /// Of entries of any kind.
    private static let maximumEntries = 20_000

    private var found: [Artifact] = []
    private var entries = 0

    /// The regular files at and below `path`, by name, each directory's own first. Apart from the actor that asks: a disk may be
    /// slow.
    @concurrent
    static func list(_ path: String) async -> [Artifact] {
        var files = OutputFiles()
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        if directory >= 0 { files.take(directory, path, depth: 1) }
        return files.found
    }

    /// Closes the directory.
    private mutating func take(_ directory: Int32, _ path: String, depth: Int) {
        var subdirectories: [String] = []
        for name in names(in: directory) {
            var status = stat()
            guard fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFREG where found.count < Self.maximumFiles:
                found.append(
                    Artifact(kind: Ledger.outputKind, path: path + "/" + name, bytes: Int64(status.st_size)))
            case S_IFDIR where depth < Self.maximumDepth: subdirectories.append(name)
            default: continue
            }
        }
        for name in subdirectories where found.count < Self.maximumFiles {
            let next = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            if next >= 0 { take(next, path + "/" + name, depth: depth + 1) }
        }
        close(directory)
    }

    private mutating func names(in directory: Int32) -> [String] {
        let copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { return [] }
        guard let stream = fdopendir(copy) else {
            close(copy)
            return []
        }
        defer { closedir(stream) }
        var names: [String] = []
        while entries < Self.maximumEntries, let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            entries += 1
            names.append(name)
        }
        return names.sorted()
    }
}

extension JobController {
    /// Writes down what the job left. Nothing of its end depends on that.
    func keepOutput(_ id: JobID, attempt: Int) async {
        let files = await OutputFiles.list(directory(id).output)
        do {
            try await ledger.recordOutput(id, attempt: attempt, files: files)
        } catch {
            logger.error("its artifacts are not listed: \(error)", metadata: ["job": "\(id)"])
        }
    }
}
