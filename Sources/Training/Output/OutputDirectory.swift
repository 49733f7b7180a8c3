import Glibc

/// Where the model goes. Files appear whole or not at all.
package struct OutputDirectory: Sendable {
    /// Absolute.
    package let path: String

    /// Makes the directory if need be and proves that files can be made in it, so that a job fails before hours of
    /// training and not after.
    ///
    /// - Throws: `output` with the system's reason.
    package init(_ path: String) throws(TrainingError) {
        var absolute = path
        if !path.hasPrefix("/") {
            var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
            guard let current = getcwd(&buffer, buffer.count) else {
                throw OutputDirectory.failure("find the working directory", errno)
            }
            absolute = String(cString: current) + "/" + (path.hasPrefix("./") ? String(path.dropFirst(2)) : path)
        }
        var partial = ""
        for part in absolute.split(separator: "/") {
            partial += "/" + part
            if mkdir(partial, 0o777) == 0 || errno == EEXIST { continue }
            // Where nothing may be made, it may be there already.
            let number = errno
            if access(partial, F_OK) != 0 { throw OutputDirectory.failure("make the directory \(partial)", number) }
        }
        self.path = absolute
        let probe = temporary("probe")
        try create(probe, OutputFile("probe", [0]))
        unlink(probe)
    }

    /// Keeps other trainings out for as long as this program runs: two would take each other's checkpoints.
    ///
    /// - Throws: `output` if one is there already.
    package func lock() throws(TrainingError) {
        // Left open: the lock ends with the program, however it ends.
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw OutputDirectory.failure("open \(path)", errno) }
        if flock(directory, LOCK_EX | LOCK_NB) == 0 { return }
        // Some file systems know no locks.
        if errno == EWOULDBLOCK {
            throw TrainingError(.output, "another training writes to \(path); give one of them another --output")
        }
    }

    /// Writes all of them under other names first, then gives them their own.
    func write(_ files: [OutputFile]) throws(TrainingError) {
        do throws(TrainingError) {
            for file in files { try create(temporary(file.name), file) }
            for file in files where rename(temporary(file.name), path + "/" + file.name) != 0 {
                throw OutputDirectory.failure("write \(path)/\(file.name)", errno)
            }
        } catch {
            for file in files { unlink(temporary(file.name)) }
            throw error
        }
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if directory >= 0 {
            // The names, too, are to outlive a power cut; where a file system cannot promise that, nothing is lost now.
            fsync(directory)
            close(directory)
        }
    }

    /// Takes a file away, and what a run that was killed while it wrote it may have left.
    func remove(_ name: String) {
        unlink(path + "/" + name)
        unlink(temporary(name))
    }

    /// The same each time, so that what a killed run leaves behind goes with the next one.
    private func temporary(_ name: String) -> String { "\(path)/.\(name).tmp" }

    private func create(_ path: String, _ file: OutputFile) throws(TrainingError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw OutputDirectory.failure("write to \(self.path)", errno) }
        var number = writeAll(descriptor, file.bytes)
        for numbers in file.arrays where number == nil {
            number = writeAll(descriptor, UnsafeRawBufferPointer(numbers))
        }
        if number == nil, fsync(descriptor) != 0 { number = errno }
        if close(descriptor) != 0, number == nil { number = errno }
        if let number {
            unlink(path)
            throw OutputDirectory.failure("write to \(self.path)", number)
        }
    }

    private static func failure(_ what: String, _ number: Int32) -> TrainingError {
        TrainingError(.output, "cannot \(what): \(String(cString: strerror(number)))")
    }
}
