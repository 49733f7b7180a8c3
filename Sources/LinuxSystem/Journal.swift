import Glibc

/// systemd's journal, spoken to in its own words, so that entries have fields to be found by: `journalctl MLD_JOB_ID=42`.
///
/// Each entry is one datagram, as https://systemd.io/JOURNAL_NATIVE_PROTOCOL says.
package struct Journal: Sendable {
    package static let usualSocket = "/run/systemd/journal/socket"

    /// A larger entry goes another way: the kernel takes no datagram of any size.
    private static let largest = 64 * 1024

    private let path: String
    private let socket: Int32

    /// - Returns: nil where there is no such socket to be had. The descriptor stays open for the life of the process.
    package init?(path: String = Journal.usualSocket) {
        guard path.utf8.count < 108, access(path, W_OK) == 0 else { return nil }
        socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return nil }
        self.path = path
        // A journal that hangs must not hold up the daemon, whose watchdog would take it for hung.
        var limit = timeval(tv_sec: 0, tv_usec: 200_000)
        _ = setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Whether what is written to `descriptor` goes to the journal: systemd says so in `JOURNAL_STREAM`, by device and inode,
    /// and a program that was started with its output elsewhere has the variable all the same.
    /// - Parameter stream: the variable's value.
    package static func takes(_ descriptor: Int32, stream: String?) -> Bool {
        guard let parts = stream?.split(separator: ":"), parts.count == 2, let device = UInt64(parts[0]),
            let inode = UInt64(parts[1])
        else { return false }
        var status = stat()
        return fstat(descriptor, &status) == 0 && UInt64(status.st_dev) == device && UInt64(status.st_ino) == inode
    }

    /// - Parameter fields: names are upper case letters, digits and underscores; values may be anything.
    /// - Returns: false where it was not taken: too large, or the journal is not there now.
    package func send(_ fields: [(name: String, value: String)]) -> Bool {
        let bytes = Self.encoded(fields)
        guard bytes.count <= Self.largest else { return false }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        while true {
            // By its path each time: whoever listens may be another than a moment ago.
            let sent = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(
                        socket, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0,
                        socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            if sent >= 0 || errno != EINTR { return sent == bytes.count }
        }
    }

    /// `NAME=value` and a line feed; a value of several lines goes after its length, or it could bring fields of its own.
    static func encoded(_ fields: [(name: String, value: String)]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (name, value) in fields {
            let value = Array(value.utf8)
            bytes += Array(name.utf8)
            if value.contains(0x0A) {
                bytes.append(0x0A)
                withUnsafeBytes(of: UInt64(value.count).littleEndian) { bytes += Array($0) }
            } else {
                bytes.append(UInt8(ascii: "="))
            }
            bytes += value
            bytes.append(0x0A)
        }
        return bytes
    }
}
