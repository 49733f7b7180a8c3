import Glibc

/// Why a small file of the kernel gave no value. The three kinds mean different things to a caller: hardware that is not
/// there, hardware that is there but closed to us, and hardware (or a tree) that says nonsense.
package struct SystemFileError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        case missing, unreadable, garbage
    }

    package var kind: Kind
    package var path: String
    /// The system's error, or what was expected.
    package var message: String

    package init(_ kind: Kind, path: String, message: String) {
        self.kind = kind
        self.path = path
        self.message = message
    }

    package var description: String { "\(path): \(message)" }
}

/// Bounded reads of the small text files under `/sys` and `/proc`.
///
/// A tree may be hostile: nothing blocks (a FIFO), nothing is read without an end (a device), and only regular files are
/// read at all.
package enum SystemFile {
    /// The whole file as text; more than `limit` bytes is garbage.
    package static func text(_ path: String, limit: Int = 4096) throws(SystemFileError) -> String {
        let bytes = try contents(path, limit: limit + 1)
        guard bytes.count <= limit else {
            throw SystemFileError(.garbage, path: path, message: "larger than \(limit) bytes")
        }
        return try decode(bytes, path: path)
    }

    /// The first lines of a file that may be long, cut at the last whole line within `limit` bytes.
    package static func firstLines(_ path: String, limit: Int) throws(SystemFileError) -> String {
        var bytes = try contents(path, limit: limit)
        if bytes.count == limit, let end = bytes.lastIndex(of: UInt8(ascii: "\n")) {
            bytes.removeSubrange(end...)
        }
        return try decode(bytes, path: path)
    }

    /// A file that holds one unsigned number, such as a counter.
    package static func integer(_ path: String) throws(SystemFileError) -> UInt64 {
        let word = try self.word(path)
        guard let value = UInt64(word) else {
            throw SystemFileError(.garbage, path: path, message: "\"\(word.prefix(40))\" is not a number")
        }
        return value
    }

    /// A file that holds one word or line, without the surrounding white space.
    package static func word(_ path: String, limit: Int = 4096) throws(SystemFileError) -> String {
        var slice = try text(path, limit: limit)[...]
        while let last = slice.last, last.isWhitespace { slice.removeLast() }
        while let first = slice.first, first.isWhitespace { slice.removeFirst() }
        guard !slice.isEmpty else { throw SystemFileError(.garbage, path: path, message: "empty") }
        return String(slice)
    }

    /// The names in a directory, sorted, without `.` and `..`; at most 4,096.
    package static func names(in path: String) throws(SystemFileError) -> [String] {
        guard let directory = opendir(path) else { throw failure(path) }
        defer { closedir(directory) }
        var names: [String] = []
        while names.count < 4096, let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private static func contents(_ path: String, limit: Int) throws(SystemFileError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SystemFileError(.garbage, path: path, message: "not a regular file")
        }
        var bytes: [UInt8] = []
        while bytes.count < limit {
            var code: Int32 = 0
            // The files of procfs and sysfs state no size; some hand out one page per read.
            let wanted = min(limit - bytes.count, 16384)
            let chunk = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
                let got = read(descriptor, buffer.baseAddress, wanted)
                code = got < 0 ? errno : 0
                count = max(0, got)
            }
            if code == EINTR { continue }
            guard code == 0 else { throw failure(path, code: code) }
            if chunk.isEmpty { break }
            bytes += chunk
        }
        return bytes
    }

    private static func decode(_ bytes: [UInt8], path: String) throws(SystemFileError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw SystemFileError(.garbage, path: path, message: "not text")
        }
        return text
    }

    private static func failure(_ path: String, code: Int32 = errno) -> SystemFileError {
        // A zone of hardware that went away answers ENODEV or ENXIO while its file is still listed.
        let missing = [ENOENT, ENOTDIR, ENODEV, ENXIO].contains(code)
        return SystemFileError(missing ? .missing : .unreadable, path: path, message: String(cString: strerror(code)))
    }
}
