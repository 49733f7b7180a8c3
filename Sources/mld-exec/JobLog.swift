import Glibc

/// One of a job's logs: a file that is appended to, and once it has half its limit becomes `PATH.1` in place of the one
/// before it, so that the last half to whole of the limit is always kept.
///
/// Readers count bytes from the log's very first. `PATH.base` tells where `PATH.1` begins in that count, in lines of
/// `INODE OFFSET`; the file after it begins where it ends. It is replaced before a file is renamed, and names both the
/// present and the next `PATH.1`, so that it is true at every moment, also if this process is killed between two steps.
struct JobLog {
    private var file: Int32
    /// Nil for what cannot be renamed, such as a terminal: no limit then.
    private let path: String?
    private let half: Int64
    private var size: Int64 = 0
    /// Where the file begins in the log.
    private var base: Int64 = 0
    /// The file is `PATH.1` already, and the next one could not be made yet.
    private var isRenamed = false
    private var endsLine = true

    /// Bytes that could not be written, and the error of the first of them since they were last told of.
    private(set) var lost: Int64 = 0
    private(set) var untold: Int64 = 0
    private(set) var problem: Int32 = 0
    /// The last of it could not be written.
    private(set) var isLosing = false
    /// Bytes that went with a file that made room for a newer one.
    private(set) var dropped: Int64 = 0

    /// - Parameters:
    ///   - file: open for appending.
    ///   - path: of the file.
    ///   - limit: bytes of both files together.
    init(file: Int32, path: String?, limit: Int64) {
        self.file = file
        var information = stat()
        let isFile = fstat(file, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
        self.path = isFile ? path : nil
        half = isFile && path != nil ? max(1, limit / 2) : .max
        guard isFile, let path else { return }
        size = Int64(information.st_size)
        var older = stat()
        if lstat(path + ".1", &older) == 0 {
            base = Self.bases(path).first { $0.inode == older.st_ino }?.base ?? 0
            base += Int64(older.st_size)
        }
    }

    /// Writes all of it, or counts what could not be written; never waits for room.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        let written = write(bytes)
        isLosing = written < bytes.count
        guard isLosing else { return }
        problem = untold == 0 ? errno : problem
        lost += Int64(bytes.count - written)
        untold += Int64(bytes.count - written)
    }

    /// A line of ours. False if it could not be written whole.
    mutating func note(_ text: String) -> Bool {
        let line = Array(((endsLine ? "" : "\n") + "mld: " + text + "\n").utf8)
        return line.withUnsafeBytes { write($0) == $0.count }
    }

    mutating func markTold() { untold = 0 }

    /// - Returns: how many bytes were written; if not all, `errno` says why.
    private mutating func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        var done = 0
        while done < bytes.count {
            if size >= half || isRenamed {
                guard rotate() else { break }
            }
            let part = Int(min(Int64(bytes.count - done), half - size))
            let count = Glibc.write(file, bytes.baseAddress?.advanced(by: done), part)
            if count > 0 {
                done += count
                size += Int64(count)
            } else if count == 0 || errno != EINTR {
                break
            }
        }
        if done > 0 { endsLine = bytes[done - 1] == UInt8(ascii: "\n") }
        return done
    }

    /// Begins a new file. False, with `errno`, if that cannot be done now.
    private mutating func rotate() -> Bool {
        guard let path else { return false }
        if !isRenamed {
            var (older, this) = (stat(), stat())
            let hasOlder = lstat(path + ".1", &older) == 0
            guard fstat(file, &this) == 0 else { return false }
            var bases = [(inode: this.st_ino, base: base)]
            if hasOlder { bases.append((older.st_ino, base - Int64(older.st_size))) }
            guard Self.write(bases, path), rename(path, path + ".1") == 0 else { return false }
            if hasOlder { dropped += Int64(older.st_size) }
            isRenamed = true
        }
        let next = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard next >= 0 else { return false }
        // The number stays, so that 2 is always the error log.
        let isMoved = dup2(next, file) >= 0
        close(next)
        guard isMoved else { return false }
        base += size
        size = 0
        isRenamed = false
        return true
    }

    private static func write(_ bases: [(inode: ino_t, base: Int64)], _ path: String) -> Bool {
        let temporary = path + ".base.new"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { return false }
        let isWritten = writeAll(file, bases.map { "\($0.inode) \($0.base)\n" }.joined())
        let code = errno
        close(file)
        guard isWritten else {
            errno = code
            return false
        }
        return rename(temporary, path + ".base") == 0
    }

    private static func bases(_ path: String) -> [(inode: ino_t, base: Int64)] {
        let file = open(path + ".base", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        return String(decoding: readAll(file, limit: 1024), as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 2, let inode = ino_t(words[0]), let base = Int64(words[1]) else { return nil }
            return (inode, base)
        }
    }
}
