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
    /// There is more than is listed.
    private var isCut = false
    /// Of any kind, whose names the ledger's text cannot hold.
    private var unnamed = 0

    /// What is listed, and what is not.
    struct Listing: Sendable, Equatable {
        var files: [Artifact] = []
        /// For people; nil where nothing was left out.
        var leftOut: String?
    }

    /// The regular files at and below `path`, by name, each directory's own first. Apart from the actor that asks: a disk may be
    /// slow.
    @concurrent
    static func list(_ path: String) async -> Listing {
        var files = OutputFiles()
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        if directory >= 0 { files.take(directory, path, depth: 1) }
        return Listing(files: files.found, leftOut: files.leftOut)
    }

    private var leftOut: String? {
        var parts: [String] = []
        if isCut { parts.append("of its output \(found.count) files are listed, more are there") }
        if unnamed > 0 {
            parts.append("\(unnamed) of its output \(unnamed == 1 ? "is" : "are") not listed: the name is no UTF-8")
        }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
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
            case S_IFREG, S_IFDIR: isCut = true
            default: continue
            }
        }
        for name in subdirectories {
            guard found.count < Self.maximumFiles else {
                isCut = true
                break
            }
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
        while let entry = readdir(stream) {
            guard entries < Self.maximumEntries else {
                isCut = true
                break
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
            }
            if name == "." || name == ".." { continue }
            entries += 1
            if let name { names.append(name) } else { unnamed += 1 }
        }
        return names.sorted()
    }
}

extension JobController {
    /// Writes down what the job left. Nothing of its end depends on that.
    /// - Returns: what is there and not listed, for people.
    func keepOutput(_ id: JobID, attempt: Int) async -> String? {
        let listing = await OutputFiles.list(directory(id).output)
        do {
            try await ledger.recordOutput(id, attempt: attempt, files: listing.files)
        } catch {
            logger.error("its artifacts are not listed: \(error)", metadata: ["job": "\(id)"])
        }
        return listing.leftOut
    }
}
