import Foundation

/// A socket that stands in for one of systemd's: the journal's, or the one for notifications.
package final class DatagramSocket {
    package struct Failure: Error { let reason: String }

    package let path = "/tmp/mldt-datagrams-\(UUID().uuidString.prefix(8))"
    private let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)

    package init() throws {
        let bound = withSocketAddress(path) { bind(descriptor, $0, $1) }
        guard bound == 0 else { throw Failure(reason: "cannot bind \(path): \(String(cString: strerror(errno)))") }
    }

    deinit {
        close(descriptor)
        unlink(path)
    }

    /// The next datagram, or nil when none is there.
    package func nextBytes() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count > 0 ? Array(buffer.prefix(count)) : nil
    }

    package func next() -> String? { nextBytes().map { String(decoding: $0, as: UTF8.self) } }
}
