import Glibc
import LinuxSystem

/// The Unix socket we listen on: inherited from systemd, or bound by us with a mode of ours.
struct ListeningSocket: Sendable {
    let descriptor: Int32
    let path: String
    /// Whether the file is ours to remove.
    private let isOurs: Bool
    private let identity: Identity?

    /// - Parameters:
    ///   - mode: of the socket file.
    ///   - group: owning group of the socket file, when it is to be changed.
    init(path: String, mode: mode_t, group: gid_t?) throws(DaemonError) {
        let inherited: Int32?
        do { inherited = try ServiceManager.inheritedSocket() } catch {
            throw DaemonError(stage: "listen", message: "\(error)")
        }
        if let inherited {
            descriptor = inherited
            self.path = Self.path(of: inherited) ?? path
            isOurs = false
            identity = nil
            return
        }
        self.path = path
        descriptor = try Self.bind(path, mode: mode, group: group)
        isOurs = true
        identity = Self.identity(path)
    }

    /// Removes the file if it is still the one we made.
    func removeFile() {
        if isOurs, Self.identity(path) == identity { unlink(path) }
    }

    private struct Identity: Equatable {
        var device: dev_t
        var node: ino_t
    }

    private static func identity(_ path: String) -> Identity? {
        var info = stat()
        return lstat(path, &info) == 0 ? Identity(device: info.st_dev, node: info.st_ino) : nil
    }

    private static func bind(_ path: String, mode: mode_t, group: gid_t?) throws(DaemonError) -> Int32 {
        guard let directory = path.lastIndex(of: "/").map({ String(path[..<$0]) }) else {
            throw DaemonError(stage: "bind", message: "the socket's path \(path) must be absolute")
        }
        // Private by default: user mode has no business with other users.
        try StateDirectory.makeDirectory(directory, mode: mode & 0o060 == 0 ? 0o700 : 0o755)
        var info = stat()
        if mode & 0o060 == 0, lstat(directory, &info) == 0, info.st_uid != geteuid() {
            throw DaemonError(
                stage: "bind", message: "\(directory) belongs to uid \(info.st_uid), not to us",
                hint: "choose another place with --socket PATH")
        }
        guard var address = socketAddress(path) else {
            throw DaemonError(
                stage: "bind", message: "the socket's path is longer than 107 bytes: \(path)",
                hint: "choose a shorter one with --socket PATH")
        }
        if isAnswering(&address) {
            throw DaemonError(
                stage: "bind", message: "another daemon is listening on \(path)",
                hint: "choose another socket with --socket PATH")
        }
        // What a dead daemon left behind. Anything that is not a socket is not ours to remove.
        if lstat(path, &info) == 0 {
            guard info.st_mode & S_IFMT == S_IFSOCK else {
                throw DaemonError(stage: "bind", message: "\(path) exists and is not a socket")
            }
            unlink(path)
        }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            throw DaemonError(stage: "bind", message: "cannot make a socket: \(errnoText(errno))")
        }
        // The mode is set before anyone can connect: the file is born with no rights for others.
        let old = umask(0o177)
        let bound = withSocketAddress(&address) { Glibc.bind(descriptor, $0, $1) }
        let code = errno
        umask(old)
        guard bound == 0 else {
            close(descriptor)
            throw DaemonError(stage: "bind", message: "cannot bind \(path): \(errnoText(code))")
        }
        if let group, chown(path, uid_t.max, group) != 0 {
            close(descriptor)
            throw DaemonError(stage: "bind", message: "cannot give \(path) to group \(group): \(errnoText(errno))")
        }
        guard chmod(path, mode) == 0, listen(descriptor, 1024) == 0 else {
            close(descriptor)
            throw DaemonError(stage: "bind", message: "cannot listen on \(path): \(errnoText(errno))")
        }
        return descriptor
    }

    /// Where a bound Unix socket is.
    private static func path(of descriptor: Int32) -> String? {
        var address = sockaddr_un()
        var length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) == 0 }
        }
        guard isBound, address.sun_family == sa_family_t(AF_UNIX) else { return nil }
        let bytes = withUnsafeBytes(of: address.sun_path) { Array($0.prefix { $0 != 0 }) }
        return bytes.first == UInt8(ascii: "/") ? String(validating: bytes, as: UTF8.self) : nil
    }

    private static func isAnswering(_ address: inout sockaddr_un) -> Bool {
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { return false }
        defer { close(probe) }
        return withSocketAddress(&address) { connect(probe, $0, $1) } == 0
    }

    private static func socketAddress(_ path: String) -> sockaddr_un? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return address
    }

    private static func withSocketAddress<T>(
        _ address: inout sockaddr_un, _ body: (UnsafePointer<sockaddr>, socklen_t) -> T
    ) -> T {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
