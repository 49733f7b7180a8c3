import Glibc
import LinuxSystem

/// Which transition the journal was told of last: kept beside the ledger, so that the next daemon goes on there however this one ended.
///
/// It names the ledger's file: to another one, as after `mld restore`, it says nothing. A kill between the telling and the mark has the
/// last few told twice, and none left out. It is not synced, since it changes with every job: where the machine falls, some may be told
/// twice or not at all, as the journal itself may have lost some.
final class ToldMark: Sendable {
    private let file: Descriptor
    private let path: String
    private let ledger: UInt64

    /// - Parameter ledger: the path of its file, which is there.
    init(path: String, of ledger: String) throws(LinuxError) {
        self.path = path
        var status = stat()
        guard stat(ledger, &status) == 0 else { throw LinuxError("look at", path: ledger) }
        self.ledger = UInt64(status.st_ino)
        file = try Descriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
    }

    /// Nil where none was kept of this ledger, or what is there is none.
    func read() throws(LinuxError) -> Int64? {
        var bytes = [UInt8](repeating: 0, count: Self.length)
        let count = pread(file.raw, &bytes, bytes.count, 0)
        guard count >= 0 else { throw LinuxError("read", path: path) }
        // A whole line, or one that a full disk cut short.
        guard count == Self.length, bytes[count - 1] == 0x0A else { return nil }
        let words = String(decoding: bytes[..<(count - 1)], as: UTF8.self).split(separator: " ")
        guard words.count == 2, UInt64(words[1]) == ledger, let number = Int64(words[0]), number >= 0 else {
            return nil
        }
        return number
    }

    func write(_ number: Int64) throws(LinuxError) {
        let line = Self.padded(String(number), to: 19) + [0x20] + Self.padded(String(ledger), to: 20) + [0x0A]
        let count = pwrite(file.raw, line, line.count, 0)
        guard count == line.count else { throw LinuxError("write", path: path, code: count < 0 ? errno : ENOSPC) }
    }

    /// Always as long, so that it is written over in place.
    private static let length = 41

    private static func padded(_ digits: String, to length: Int) -> [UInt8] {
        [UInt8](repeating: 0x30, count: length - digits.utf8.count) + Array(digits.utf8)
    }
}
