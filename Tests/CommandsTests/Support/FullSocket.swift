import Glibc
import Synchronization
import TestSupport

/// A listening socket whose backlog is full.
final class FullSocket: Sendable {
    let path: String
    private let listener: Int32
    private let clients: Mutex<[Int32]>

    init(_ path: String) throws {
        self.path = path
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard withSocketAddress(path, { bind(listener, $0, $1) }) == 0, listen(listener, 0) == 0 else {
            throw TestError(description: "\(path): errno \(errno)")
        }
        var connected: [Int32] = []
        while connected.count < 64 {
            let client = socket(
                AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            connected.append(client)
            guard withSocketAddress(path, { connect(client, $0, $1) }) == 0 else { break }
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
}
