import Glibc

/// Why this program gives up, and with which exit status: 2 for wrong usage, 126 and 127 as a shell has them.
struct Failure: Error {
    var status: Int32
    var message: String
    /// The same may work a little later: descriptors, processes, memory or room were used up.
    var isTransient = false

    init(status: Int32, _ message: String, isTransient: Bool = false) {
        self.status = status
        self.message = message
        self.isTransient = isTransient
    }

    /// A system call that failed: what was tried and the system's words.
    init(_ stage: String, code: Int32 = errno, status: Int32 = 126) {
        self.init(
            status: status, "\(stage): \(String(cString: strerror(code)))",
            isTransient: Self.passing.contains(code))
    }

    static let passing = [EAGAIN, ENOMEM, EMFILE, ENFILE, ENOSPC]
}

/// One line on standard error.
func complain(_ message: String) {
    writeAll(STDERR_FILENO, "mld-exec: \(message)\n")
}

/// Writes all of `text`; false if that failed (the reader may be gone, a disk full).
@discardableResult
func writeAll(_ descriptor: Int32, _ text: String) -> Bool { writeAll(descriptor, Array(text.utf8)) }

/// The same of bytes.
func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
    var done = 0
    while done < bytes.count {
        let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress?.advanced(by: done), bytes.count - done) }
        if count > 0 {
            done += count
        } else if errno != EINTR {
            return false
        }
    }
    return true
}

/// Up to `limit` bytes of a descriptor, to its end or until nothing is there at once.
func readAll(_ descriptor: Int32, limit: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while bytes.count < limit {
        let wanted = min(buffer.count, limit - bytes.count)
        let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, wanted) }
        if count > 0 {
            bytes += buffer[..<count]
        } else if count == 0 || errno != EINTR {
            break
        }
    }
    return bytes
}
