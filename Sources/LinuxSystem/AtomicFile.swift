import Glibc

/// Files that are there whole or not at all.
package enum AtomicFile {
    /// Writes beside the file, syncs, and renames over it; a failure leaves the old file and nothing else.
    package static func write(_ text: String, to path: String, mode: UInt32 = 0o644) throws(LinuxError) {
        // A name that nothing left behind can have: in a container each run may be the same pid.
        let temporary = path + ".new.\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        // Another process's file of that name is not ours to remove.
        let file = try Descriptor.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode)
        do throws(LinuxError) {
            try file.write(Array(text.utf8))
            guard fsync(file.raw) == 0 else { throw LinuxError("fsync", path: temporary) }
            guard rename(temporary, path) == 0 else { throw LinuxError("rename", path: path) }
        } catch {
            unlink(temporary)
            throw error
        }
        // The name lasts once its directory is on disk.
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let parent = try Descriptor.open(directory, O_RDONLY | O_DIRECTORY)
        guard fsync(parent.raw) == 0 else { throw LinuxError("fsync", path: directory) }
    }

    /// - Throws: if a file could not be put there: better known before long work than after.
    package static func checkWritable(_ path: String) throws(LinuxError) {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        guard access(directory, W_OK) == 0 else { throw LinuxError("write", path: path) }
    }

    /// Makes the directory a file is to be in, and those above it.
    package static func makeDirectory(of path: String, mode: UInt32 = 0o755) throws(LinuxError) {
        var index = path.startIndex
        while let slash = path[index...].firstIndex(of: "/") {
            let directory = String(path[..<slash])
            if !directory.isEmpty, mkdir(directory, mode) != 0, errno != EEXIST {
                throw LinuxError("mkdir", path: directory)
            }
            index = path.index(after: slash)
        }
    }
}
