import Glibc
import JobAPI
import NIOCore
import NIOHTTP1
import NIOPosix

/// A request as the client sends it.
struct Request: Sendable {
    var method: HTTPMethod
    /// Path and query, already escaped.
    var target: String
    var body: [UInt8] = []
    /// Beyond those every request has.
    var headers: [(name: String, value: String)] = []
    /// Whether it is sent again where the daemon went away before it answered: it must come to the same then.
    var persists = false

    /// How messages call it: `GET /v1/jobs/7`.
    var name: String { "\(method.rawValue) \(target.prefix { $0 != "?" })" }
}

typealias HTTPChannel = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>
typealias ResponseParts = NIOAsyncChannelInboundStream<HTTPClientResponsePart>.AsyncIterator

/// One connection for one request. A Unix socket connects in microseconds, so nothing is pooled.
struct HTTPConnection {
    let channel: HTTPChannel
    let request: Request

    /// - Throws: ``ClientError/unreachable(socket:cause:)``, ``ClientError/busy(socket:)``.
    static func open(_ socket: String, for request: Request, on group: any EventLoopGroup) async throws -> Self {
        do {
            let channel = try await ClientBootstrap(group: group)
                .connectTimeout(.seconds(5))
                .connect(unixDomainSocketPath: socket) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        return try HTTPChannel(wrappingChannelSynchronously: channel)
                    }
                }
            return HTTPConnection(channel: channel, request: request)
        } catch let error as IOError where error.errnoCode == EAGAIN {
            throw ClientError.busy(socket: socket)
        } catch let error as IOError {
            throw ClientError.unreachable(socket: socket, cause: words(errno: error.errnoCode))
        } catch let error as CancellationError {
            throw error
        } catch {
            throw ClientError.unreachable(socket: socket, cause: "\(error)")
        }
    }

    /// Sends the request and hands the answer's head and the rest of its parts to `body`; closes in any case.
    func perform<R: Sendable>(
        _ body: (HTTPResponseHead, inout ResponseParts) async throws -> R
    ) async throws -> R {
        do {
            return try await channel.executeThenClose { inbound, outbound in
                // A server may answer and hang up before it has read everything; its answer counts, not the failed write.
                var unsent: (any Error)?
                do { try await outbound.write(contentsOf: sent) } catch { unsent = error }
                var parts = inbound.makeAsyncIterator()
                while let part = try await parts.next() {
                    // Informational heads (1xx) come before the real one.
                    if case .head(let head) = part, head.status.code >= 200 { return try await body(head, &parts) }
                }
                try Task.checkCancellation()
                throw unsent ?? ClientError.broken(call: request.name, cause: "no answer came")
            }
        } catch let error as IOError {
            throw ClientError.broken(call: request.name, cause: Self.words(errno: error.errnoCode))
        } catch HTTPParserError.invalidEOFState {
            throw ClientError.broken(call: request.name, cause: "the answer is cut short")
        } catch let error as HTTPParserError {
            throw ClientError.malformed(call: request.name, cause: "not HTTP (\(error))")
        } catch let error as ChannelError {
            throw ClientError.broken(call: request.name, cause: "\(error)")
        }
    }

    /// Reads the rest of the answer.
    static func collect(_ parts: inout ResponseParts, limit: Int, call: String) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let part = try await parts.next() {
            switch part {
            case .head: continue
            case .body(let buffer):
                guard bytes.count + buffer.readableBytes <= limit else {
                    throw ClientError.tooLarge(call: call, limit: limit)
                }
                bytes.append(contentsOf: buffer.readableBytesView)
            case .end: return bytes
            }
        }
        try Task.checkCancellation()
        throw ClientError.broken(call: call, cause: "the answer is cut short")
    }

    private var sent: [HTTPClientRequestPart] {
        let body = request.body.isEmpty ? [] : [IOData.byteBuffer(ByteBuffer(bytes: request.body))]
        return [.head(head)] + body.map { .body($0) } + [.end(nil)]
    }

    private var head: HTTPRequestHead {
        var headers = HTTPHeaders([("host", "mld"), ("connection", "close"), ("user-agent", "mlctl/" + mldVersion)])
        if !request.body.isEmpty {
            headers.add(name: "content-type", value: "application/json")
            headers.add(name: "content-length", value: String(request.body.count))
        } else if request.method != .GET {
            headers.add(name: "content-length", value: "0")
        }
        for header in request.headers { headers.add(name: header.name, value: header.value) }
        return HTTPRequestHead(version: .http1_1, method: request.method, uri: request.target, headers: headers)
    }

    private static func words(errno code: CInt) -> String {
        switch code {
        case ENOENT: "there is no such socket"
        case ECONNREFUSED: "nobody listens on it"
        case EACCES, EPERM: "permission denied; members of the group that owns the socket (mld) may use it"
        case ECONNRESET, EPIPE: "the daemon closed the connection"
        default: String(cString: strerror(code))
        }
    }
}
