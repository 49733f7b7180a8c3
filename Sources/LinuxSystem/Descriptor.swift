import CLinux
import Glibc

/// A system call that failed: what was tried, on what, and the system's error number.
package struct LinuxError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call or the step, such as `open` or `clone`.
    package var stage: String
    package var path: String?
    /// An `errno`; 0 where the failure is in what was read, not in a call.
    package var code: Int32
    package var message: String

    package init(_ stage: String, path: String? = nil, code: Int32 = errno) {
        self.stage = stage
        self.path = path
        self.code = code
        self.message = String(cString: strerror(code))
    }

    package init(_ stage: String, path: String?, message: String) {
        self.stage = stage
        self.path = path
        self.code = 0
        self.message = message
    }

    package var description: String { "\(stage)\(path.map { " " + $0 } ?? ""): \(message)" }

    /// The cause passes by itself, or with an admin's help: what was tried may be tried again.
    package var isTransient: Bool { Self.isTransient(code) }

    /// Room, descriptors, memory or processes are used up now.
    package static func isTransient(_ code: Int32) -> Bool {
        [ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM, EAGAIN, EINTR].contains(code)
    }
}

/// An open descriptor with one owner, closed when the owner goes.
package struct Descriptor: ~Copyable, Sendable {
    package let raw: Int32

    package init(owning raw: Int32) {
        self.raw = raw
    }

    deinit {
        close(raw)
    }

    /// Hands the number over to a caller who closes it.
    package consuming func release() -> Int32 {
        let raw = raw
        discard self
        return raw
    }
}

extension Descriptor {
    /// Always close-on-exec: what a child is to get is named when it is started.
    package static func open(_ path: String, _ flags: Int32, mode: UInt32 = 0o600) throws(LinuxError) -> Descriptor {
        let raw = Glibc.open(path, flags | O_CLOEXEC, mode)
        guard raw >= 0 else { throw LinuxError("open", path: path) }
        return Descriptor(owning: raw)
    }

    /// An anonymous file holding `bytes`, positioned at its start.
    package static func memoryFile(_ name: String, holding bytes: [UInt8]) throws(LinuxError) -> Descriptor {
        let raw = mld_memory_file(name)
        guard raw >= 0 else { throw LinuxError("memfd_create") }
        let file = Descriptor(owning: raw)
        try file.write(bytes)
        guard lseek(raw, 0, SEEK_SET) == 0 else { throw LinuxError("lseek") }
        return file
    }

    /// A descriptor that becomes readable when the process ends.
    package static func process(_ pid: Int32) throws(LinuxError) -> Descriptor {
        let raw = mld_pidfd_open(pid)
        guard raw >= 0 else { throw LinuxError("pidfd_open", path: String(pid)) }
        return Descriptor(owning: raw)
    }

    package func write(_ bytes: [UInt8]) throws(LinuxError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(raw, $0.baseAddress?.advanced(by: done), bytes.count - done)
            }
            if count > 0 {
                done += count
            } else if errno != EINTR {
                throw LinuxError("write")
            }
        }
    }

    /// Up to `limit` bytes, to the end of the file.
    package func read(limit: Int) throws(LinuxError) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: min(limit, 16 * 1024))
        while bytes.count < limit {
            let wanted = min(buffer.count, limit - bytes.count)
            let count = buffer.withUnsafeMutableBytes { Glibc.read(raw, $0.baseAddress, wanted) }
            if count == 0 { break }
            if count > 0 {
                bytes += buffer[..<count]
            } else if errno != EINTR {
                throw LinuxError("read")
            }
        }
        return bytes
    }

    /// Sends a signal to the process of a pidfd; false if it has ended.
    package func signal(_ number: Int32) throws(LinuxError) -> Bool {
        if mld_pidfd_send_signal(raw, number) == 0 { return true }
        if errno == ESRCH { return false }
        throw LinuxError("pidfd_send_signal")
    }

    /// Sends a real-time signal with a value to the process of a pidfd: none is merged with another, and they are taken in the
    /// order of sending. False if the process has ended.
    package func queue(_ number: Int32, value: Int32) throws(LinuxError) -> Bool {
        if mld_pidfd_queue_signal(raw, number, value) == 0 { return true }
        if errno == ESRCH { return false }
        throw LinuxError("pidfd_send_signal")
    }

    /// Takes the exclusive lock of this open file; false if another process holds it. It is given up with the
    /// descriptor, however its owner ends.
    package func tryLock() throws(LinuxError) -> Bool {
        let result = mld_try_lock(raw)
        guard result >= 0 else { throw LinuxError("flock") }
        return result == 1
    }
}
