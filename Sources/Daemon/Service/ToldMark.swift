import Glibc
import LinuxSystem

/// Which transition the journal was told of last: kept beside the ledger, so that the next daemon goes on there however this one ended.
///
/// It is not synced, since it changes with every job: after a fall of the machine, or a kill between the telling and the mark, the last
/// few are told twice, and none is left out.
final class ToldMark: Sendable {
    private let file: Descriptor
    private let path: String

    init(path: String) throws(LinuxError) {
        self.path = path
        file = try Descriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
    }

    /// Nil where none was kept, or what is there is none.
    func read() throws(LinuxError) -> Int64? {
        var bytes = [UInt8](repeating: 0, count: Self.length)
        let count = pread(file.raw, &bytes, bytes.count, 0)
        guard count >= 0 else { throw LinuxError("read", path: path) }
        // A whole line, or one that a full disk cut short.
        guard count == Self.length, bytes[count - 1] == 0x0A else { return nil }
        return Int64(String(decoding: bytes[..<(count - 1)], as: UTF8.self)).flatMap { $0 >= 0 ? $0 : nil }
    }

    func write(_ number: Int64) throws(LinuxError) {
        let digits = Array(String(number).utf8)
        let line = [UInt8](repeating: 0x30, count: Self.length - 1 - digits.count) + digits + [0x0A]
        guard pwrite(file.raw, line, line.count, 0) == line.count else { throw LinuxError("write", path: path) }
    }

    /// Always as long, so that it is written over in place.
    private static let length = 20
}
