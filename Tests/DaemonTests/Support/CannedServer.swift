import Foundation
import Glibc
import Synchronization

/// A server on loopback that answers each request with what a test laid out: whole answers, cut ones, none. On a thread of its own:
/// tests that wait must not hold it up.
final class CannedServer: Sendable {
    /// The bytes of an answer, and whether the connection is left open after them.
    struct Answer: Sendable {
        var bytes: [UInt8]
        var stays = false

        /// With a head as services write it.
        static func json(_ text: String, status: String = "200 OK", headers: [String] = []) -> Answer {
            let body = Array(text.utf8)
            let head =
                ["HTTP/1.1 \(status)", "Content-Type: application/json", "Content-Length: \(body.count)"] + headers
            return Answer(bytes: Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body)
        }

        static func raw(_ text: String, stays: Bool = false) -> Answer { Answer(bytes: Array(text.utf8), stays: stays) }
    }

    let port: Int
    private let listener: Int32
    private let answer: @Sendable (String) -> Answer
    private let state = Mutex((requests: [String](), open: [Int32]()))

    /// - Parameter answer: by the request's head.
    init(_ answer: @escaping @Sendable (String) -> Answer) throws {
        self.answer = answer
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let fd = listener
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(fd, raw, length) == 0 && listen(fd, 16) == 0 && getsockname(fd, raw, &length) == 0
            }
        }
        guard isListening else { throw RunningDaemon.Failure("no port to listen on") }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else {
                    // Only here: whoever closed it elsewhere would let this thread accept for another's socket of its number.
                    close(listener)
                    return
                }
                serve(connection)
            }
        }
    }

    var address: String { "http://127.0.0.1:\(port)" }
    /// The heads of all requests so far.
    var requests: [String] { state.withLock { $0.requests } }

    private func serve(_ connection: Int32) {
        var head: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !String(decoding: head, as: UTF8.self).contains("\r\n\r\n") {
            let count = read(connection, &buffer, buffer.count)
            guard count > 0 else { break }
            head += buffer[..<count]
        }
        let text = String(decoding: head, as: UTF8.self)
        state.withLock { $0.requests.append(text) }
        let answer = answer(text)
        var sent = 0
        while sent < answer.bytes.count {
            let count = answer.bytes[sent...].withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { break }
            sent += count
        }
        if answer.stays { return state.withLock { $0.open.append(connection) } }
        close(connection)
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        state.withLock { state in
            for connection in state.open { close(connection) }
            state.open = []
        }
    }

    static func with<R>(
        _ answer: @escaping @Sendable (String) -> Answer, _ body: (CannedServer) async throws -> R
    ) async throws -> R {
        let server = try CannedServer(answer)
        defer { server.stop() }
        return try await body(server)
    }
}
