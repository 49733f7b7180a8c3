import Glibc
import LinuxSystem

/// Reads one of a job's logs, which its supervisor writes into `PATH` and, once that is half full, renames to `PATH.1`.
///
/// A position counts bytes from the log's very first, so it stays true across rotations and restarts of the daemon; see
/// `JobLog` of `mld-exec` for how `PATH.base` tells where the files begin.
struct LogTail {
    let path: String
    /// Up to where the log has been read.
    private(set) var position: Int64

    init(path: String, position: Int64 = 0) {
        self.path = path
        self.position = position
    }

    /// A part of a log.
    struct Piece: Equatable {
        var bytes: [UInt8] = []
        /// How many bytes before these are gone: they made room for newer ones before they were read.
        var missing: Int64 = 0
    }

    /// What follows the position, at most `limit` bytes; nothing if there is no more, or none that can be read now.
    mutating func read(limit: Int) -> Piece {
        var piece = Piece()
        guard let files = LogFiles.open(path) else { return piece }
        if position < files.start {
            piece.missing = files.start - position
            position = files.start
        }
        // One who claims to be further than there is gets what comes from now on.
        position = min(position, files.end)
        piece.bytes = files.read(at: position, limit: limit)
        position += Int64(piece.bytes.count)
        return piece
    }

    /// As ``read(limit:)``, but never ends inside a UTF-8 character: its first bytes wait for the rest, unless the log is
    /// complete (`atEnd`).
    mutating func readText(limit: Int, atEnd: Bool) -> Piece {
        var piece = read(limit: limit)
        let cut = piece.bytes.count - FileTail.incompleteSuffix(piece.bytes)
        guard cut < piece.bytes.count else { return piece }
        // At the end of a complete log there is no rest to wait for.
        if atEnd, isAtEnd { return piece }
        position -= Int64(piece.bytes.count - cut)
        piece.bytes.removeSubrange(cut...)
        return piece
    }

    private var isAtEnd: Bool {
        guard let files = LogFiles.open(path) else { return true }
        return files.end == position
    }

    /// Passes over all but the last `count` bytes of what is there now.
    mutating func skipToLast(_ count: Int) {
        guard let files = LogFiles.open(path) else { return }
        position = max(files.end - Int64(clamping: count), files.start)
    }

    /// Passes over what is not there any more.
    mutating func skipToFirst() {
        guard let files = LogFiles.open(path) else { return }
        position = max(position, files.start)
    }

    /// Passes over what is there now.
    mutating func skipToEnd() { skipToLast(0) }
}

/// The two files of a log as they were at one moment.
private struct LogFiles: ~Copyable {
    /// -1 for none.
    private let older: Int32
    private let newer: Int32
    /// Where the older file begins, the newer one does, and the newer one ends.
    let start: Int64
    private let middle: Int64
    let end: Int64

    /// Nil when nothing can be read now.
    static func open(_ path: String) -> LogFiles? {
        // A rotation between two looks makes them begin anew.
        for _ in 0..<100 {
            let before = older(path)
            let files = LogFiles(path)
            let after = older(path)
            if files.isUnreadable { return nil }
            if before == after, files.identity == after { return files }
        }
        return nil
    }

    /// What names a file.
    private struct Identity: Equatable {
        var device: dev_t
        var inode: ino_t
    }

    /// Of the older file that was opened.
    private let identity: Identity?
    /// One of them is there and cannot be opened now.
    private let isUnreadable: Bool

    private static func older(_ path: String) -> Identity? {
        var status = stat()
        guard lstat(path + ".1", &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Identity(device: status.st_dev, inode: status.st_ino)
    }

    private init(_ path: String) {
        let (first, second) = (Self.regular(path + ".1"), Self.regular(path))
        (older, newer) = (first.descriptor, second.descriptor)
        isUnreadable = first.isUnreadable || second.isUnreadable
        let isThere = first.descriptor >= 0
        identity = isThere ? Identity(device: first.status.st_dev, inode: first.status.st_ino) : nil
        start = isThere ? Self.bases(path)[UInt64(first.status.st_ino)] ?? 0 : 0
        middle = start + Int64(first.status.st_size)
        end = middle + Int64(second.status.st_size)
    }

    deinit {
        for descriptor in [older, newer] where descriptor >= 0 { close(descriptor) }
    }

    /// Links are not followed, and only regular files are read.
    private static func regular(_ path: String) -> (descriptor: Int32, status: stat, isUnreadable: Bool) {
        var status = stat()
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return (-1, stat(), LinuxError.isTransient(errno)) }
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            return (-1, stat(), false)
        }
        return (descriptor, status, false)
    }

    private static func bases(_ path: String) -> [UInt64: Int64] {
        guard let file = try? Descriptor.open(path + ".base", O_RDONLY | O_NOFOLLOW | O_NONBLOCK),
            let bytes = try? file.read(limit: 1024)
        else { return [:] }
        var bases: [UInt64: Int64] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, let inode = UInt64(words[0]), let base = Int64(words[1]),
                (0..<1 << 62).contains(base)
            else { continue }
            bases[inode] = base
        }
        return bases
    }

    borrowing func read(at position: Int64, limit: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        if position < middle {
            bytes = Self.read(older, at: position - start, count: min(Int64(limit), middle - position))
            guard position + Int64(bytes.count) == middle else { return bytes }
        }
        let next = max(position, middle)
        return bytes + Self.read(newer, at: next - middle, count: min(Int64(limit - bytes.count), end - next))
    }

    private static func read(_ file: Int32, at offset: Int64, count: Int64) -> [UInt8] {
        guard count > 0, file >= 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, filled in
            filled = max(pread(file, buffer.baseAddress, Int(count), off_t(offset)), 0)
        }
    }
}
