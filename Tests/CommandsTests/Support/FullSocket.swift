import Glibc
import Synchronization

/// A listening socket whose backlog is full.
final class FullSocket: Sendable {
    let path: String
    private let listener: Int32
    private let clients: Mutex<[Int32]>

    init(_ path: String) throws {
        self.path = path
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard Self.with(path, { bind(listener, $0, $1) }) == 0, listen(listener, 0) == 0 else {
            throw TestError(description: "\(path): errno \(errno)")
        }
        var connected: [Int32] = []
        while connected.count < 64 {
            let client = socket(
                AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            connected.append(client)
            guard Self.with(path, { connect(client, $0, $1) }) == 0 else { break }
        }
        clients = Mutex(connected)
        self.listener = listener
    }

    deinit {
        for client in clients.withLock({ $0 }) { close(client) }
        close(listener)
    }

    /// Lets in who waits, and hangs up on each; so on whoever comes within a while.
    func drain() {
        for _ in 0..<200 {
            var waiting = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 500) == 1 else { return }
            close(accept(listener, nil, nil))
        }
    }

    private static func with(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
