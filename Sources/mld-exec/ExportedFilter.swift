import CLinux
import Glibc

/// A filter that was made before: making one takes longer than all else a job's last step does.
enum ExportedFilter {
    /// The kernel's struct sock_filter.
    private static let instructionBytes = 8
    private static let limit = 4096 * instructionBytes

    /// `mld-exec filter`: the standard filter as hexadecimal digits, for the daemon to keep.
    static func print() throws(Failure) {
        let file = mld_memory_file("filter")
        guard file >= 0 else { throw Failure("make a file in memory") }
        defer { close(file) }
        try SyscallFilter.standard().export(to: file)
        let digits = Array("0123456789abcdef".utf8)
        let text = try read(from: file).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        Swift.print("seccomp-filter \(String(decoding: text, as: UTF8.self))")
    }

    static func load(from descriptor: Int32) throws(Failure) {
        let bytes = try read(from: descriptor)
        guard !bytes.isEmpty, bytes.count % instructionBytes == 0 else {
            throw Failure(status: 126, "the seccomp filter is not whole")
        }
        let result = bytes.withUnsafeBytes { mld_load_filter($0.baseAddress, $0.count / instructionBytes) }
        guard result == 0 else { throw Failure("load the seccomp filter") }
    }

    /// From the beginning, wherever the descriptor stands.
    private static func read(from descriptor: Int32) throws(Failure) -> [UInt8] {
        guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw Failure("read the seccomp filter") }
        return readAll(descriptor, limit: limit)
    }
}
