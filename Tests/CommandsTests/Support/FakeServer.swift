import Glibc
import JobAPI
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Answers canned values over a Unix socket in a directory of its own, and remembers what was asked.
final class FakeServer: Sendable {
    struct Reply: Sendable {
        var status = 200
        var type = "application/json"
        /// Sent and flushed one by one.
        var chunks: [[UInt8]] = []
        /// Hang up instead of ending the answer properly.
        var isCut = false
        /// Send the last chunk only once this has been asked for.
        var heldUntil: String?

        static func json(_ value: some Encodable, status: Int = 200) throws -> Reply {
            Reply(status: status, chunks: [Array(try JSON.encode(value))])
        }

        static func error(_ error: APIError) throws -> Reply {
            try json(APIError.Envelope(error), status: error.httpStatus)
        }

        static let health = text(
            #"{"version":"1","mode":"user","pid":5,"since":"2026-01-01T00:00:00Z","state_directory":"/s","peer_uid":1000}"#
        )

        static func text(_ text: String, status: Int = 200) -> Reply {
            Reply(status: status, type: "text/plain", chunks: [Array(text.utf8)])
        }

        /// A server-sent event per chunk, after a keep-alive comment.
        static func events(_ events: [JobEvent], isCut: Bool = false, heldUntil: String? = nil) throws -> Reply {
            let chunks = try events.map { event in
                var event = event
                let id = event.position.map { "id: \($0)\n" } ?? ""
                event.position = nil
                return Array(": ping\n\n\(id)event: \(event.type.rawValue)\ndata: \(try JSON.text(event))\n\n".utf8)
            }
            return Reply(type: "text/event-stream", chunks: chunks, isCut: isCut, heldUntil: heldUntil)
        }
    }

    struct Asked: Sendable {
        var method: String
        /// Path and query.
        var target: String
        var body: [UInt8]
        var lastEventID: String?
        var idempotencyKey: String?
        /// `GET /v1/jobs/7`.
        var name: String { method + " " + target.prefix { $0 != "?" } }
    }

    private struct State {
        var replies: [String: [Reply]]
        var asked: [Asked] = []
        var held: [(name: String, finish: @Sendable () -> Void)] = []
    }

    let directory: String
    var socket: String { directory + "/mld.sock" }
    private let state: Mutex<State>

    private init(directory: String, replies: [String: [Reply]]) {
        self.directory = directory
        self.state = Mutex(State(replies: replies))
    }

    var asked: [Asked] { state.withLock { $0.asked } }

    /// Runs `body` against a server with these answers by `METHOD /path`; with several, the last one repeats.
    static func with(
        _ replies: [String: [Reply]], _ body: (FakeServer) async throws -> Void
    ) async throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let server = FakeServer(directory: directory, replies: replies)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(server))
                }
            }
            .bind(unixDomainSocketPath: server.socket).get()
        do {
            try await body(server)
        } catch {
            try await channel.close()
            throw error
        }
        try await channel.close()
    }

    fileprivate func reply(to asked: Asked) -> Reply {
        // Verbs that wait for a daemon ask this first.
        if asked.name == "GET /v1/health", state.withLock({ $0.replies[asked.name] == nil }) { return .health }
        let (reply, ready) = state.withLock { state -> (Reply, [@Sendable () -> Void]) in
            state.asked.append(asked)
            let ready = state.held.filter { $0.name == asked.name }.map(\.finish)
            state.held.removeAll { $0.name == asked.name }
            var queue = state.replies[asked.name] ?? []
            let reply = queue.first ?? .text("no canned answer for \(asked.name)", status: 599)
            if queue.count > 1 { queue.removeFirst() }
            state.replies[asked.name] = queue
            return (reply, ready)
        }
        ready.forEach { $0() }
        return reply
    }

    fileprivate func hold(until name: String, _ finish: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            if state.asked.contains(where: { $0.name == name }) { return true }
            state.held.append((name, finish))
            return false
        }
        if isLate { finish() }
    }
}

private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let server: FakeServer
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ server: FakeServer) {
        self.server = server
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body(let buffer): body.append(contentsOf: buffer.readableBytesView)
        case .end:
            guard let head else { return }
            let asked = FakeServer.Asked(
                method: head.method.rawValue, target: head.uri, body: body,
                lastEventID: head.headers.first(name: "last-event-id"),
                idempotencyKey: head.headers.first(name: "idempotency-key"))
            send(server.reply(to: asked), on: context.channel)
        }
    }

    private func send(_ reply: FakeServer.Reply, on channel: any Channel) {
        let headers = HTTPHeaders([("content-type", reply.type), ("transfer-encoding", "chunked")])
        let head = HTTPResponseHead(
            version: .http1_1, status: .init(statusCode: reply.status), headers: headers)
        channel.writeAndFlush(HTTPServerResponsePart.head(head), promise: nil)
        let parts = reply.chunks.map { HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: $0))) }
        guard let name = reply.heldUntil, let last = parts.last else {
            for part in parts { channel.writeAndFlush(part, promise: nil) }
            return Self.end(channel, isCut: reply.isCut)
        }
        for part in parts.dropLast() { channel.writeAndFlush(part, promise: nil) }
        let isCut = reply.isCut
        server.hold(until: name) {
            channel.writeAndFlush(last, promise: nil)
            Self.end(channel, isCut: isCut)
        }
    }

    private static func end(_ channel: any Channel, isCut: Bool) {
        // Both wait in line behind the writes.
        if !isCut { channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil) }
        channel.close(promise: nil)
    }
}

struct TestError: Error, CustomStringConvertible {
    var description: String
}

/// A fresh directory below the shortest place there is: a socket's path has at most 107 bytes.
func temporaryDirectory() throws -> String {
    var template = Array("/tmp/mlctl-test-XXXXXX".utf8CString)
    guard let path = mkdtemp(&template) else { throw TestError(description: "mkdtemp: errno \(errno)") }
    return String(cString: path)
}

/// Removes a directory and the plain files in it.
func removeDirectory(_ path: String) {
    if let handle = opendir(path) {
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { unlink(path + "/" + name) }
        }
        closedir(handle)
    }
    rmdir(path)
}

func write(_ text: String, to path: String, mode: mode_t = 0o600) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw TestError(description: "\(path): errno \(errno)") }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
        throw TestError(description: "\(path): short write")
    }
}
