import Glibc
import JobAPI
import NIOCore
import NIOHTTP1
import NIOPosix
import Units

/// Gets one answer over plain HTTP/1.1, from a server that may be slow, broken or hostile: bounded in time and size, and sent
/// nowhere else.
struct HTTPFetch: Sendable {
    var timeLimit: Duration
    var sizeLimit: Int

    private typealias Channel = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    /// - Returns: the body of an answer with status 200.
    /// - Throws: ``DaemonError`` with what happened and what to do.
    func get(_ url: PlainURL, headers: [(name: String, value: String)] = []) async throws -> [UInt8] {
        do {
            return try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
                group.addTask { try await exchange(url, headers) }
                group.addTask {
                    try await Task.sleep(for: timeLimit)
                    return nil
                }
                defer { group.cancelAll() }
                guard let first = try await group.next(), let bytes = first else {
                    throw Self.failed(url, "gave no whole answer within \(timeLimit.brief)")
                }
                return bytes
            }
        } catch let error as DaemonError {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch {
            throw Self.failed(url, Self.words(error))
        }
    }

    private func exchange(_ url: PlainURL, _ headers: [(name: String, value: String)]) async throws -> [UInt8] {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.nanoseconds(timeLimit.nanosecondsClamped))
            .connect(host: url.host, port: url.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try Channel(wrappingChannelSynchronously: channel)
                }
            }
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: url.target)
        head.headers = [
            "host": url.hostHeader, "connection": "close", "accept": "application/json",
            "user-agent": "mld/" + mldVersion,
        ]
        for header in headers { head.headers.add(name: header.name, value: header.value) }
        return try await channel.executeThenClose { [head] inbound, outbound in
            // A server may answer and hang up before it has read everything; its answer counts, not the failed write.
            var unsent: (any Error)?
            do {
                try await outbound.write(contentsOf: [.head(head), .end(nil)])
            } catch { unsent = error }
            var answer: HTTPResponseHead?
            var bytes: [UInt8] = []
            for try await part in inbound {
                switch part {
                // Informational heads (1xx) come before the real one.
                case .head(let head): if head.status.code >= 200 { answer = head }
                case .body(let buffer):
                    let isError = answer.map { $0.status != .ok } ?? true
                    let room = (isError ? Self.mostOfError : sizeLimit) - bytes.count
                    if buffer.readableBytes > room {
                        if let answer, isError { throw Self.refused(url, answer, bytes) }
                        throw Self.failed(url, "answered with more than \(sizeLimit) bytes")
                    }
                    bytes.append(contentsOf: buffer.readableBytesView)
                case .end:
                    guard let answer else { break }
                    guard answer.status == .ok else { throw Self.refused(url, answer, bytes) }
                    return bytes
                }
            }
            try Task.checkCancellation()
            throw unsent ?? Self.failed(url, answer == nil ? "gave no answer" : "cut its answer short")
        }
    }

    private static let mostOfError = 4096

    private static func refused(_ url: PlainURL, _ head: HTTPResponseHead, _ bytes: [UInt8]) -> DaemonError {
        let printable = bytes.prefix(200).filter { (0x20...0x7E).contains($0) }
        let said = printable.isEmpty ? "" : ": " + String(decoding: printable, as: UTF8.self)
        let hint: String? =
            switch head.status.code {
            case 300..<400: "redirects are not followed: put the address it is really at into the policy"
            case 401, 403: "check the token (carbon.source.token-file) and what it is good for"
            case 404: "check carbon.source.url and the zone"
            case 429: "a longer carbon.refresh asks less often"
            default: nil
            }
        // The reason phrase is the server's own words.
        return failed(url, "answered \(head.status.code)\(said)", hint: hint)
    }

    private static func failed(_ url: PlainURL, _ what: String, hint: String? = nil) -> DaemonError {
        DaemonError(stage: "carbon source", message: "\(url.shown) \(what)", hint: hint)
    }

    private static func words(_ error: any Error) -> String {
        switch error {
        case let error as IOError: "cannot be reached: \(errnoText(error.errnoCode))"
        case let error as NIOConnectionError:
            // One for each address of the host; without any it has none.
            if let first = error.connectionErrors.first {
                "cannot be reached: \((first.error as? IOError).map { errnoText($0.errnoCode) } ?? "\(first.error)")"
            } else {
                "cannot be reached: its host has no address"
            }
        case is SocketAddressError: "cannot be reached: there is no such host"
        case HTTPParserError.invalidEOFState: "cut its answer short"
        case is HTTPParserError: "answered with what is not HTTP"
        default: "failed: \(error)"
        }
    }
}

extension Duration {
    fileprivate var nanosecondsClamped: Int64 { Int64(saturating: seconds * 1e9) }
}
