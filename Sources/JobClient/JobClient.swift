import FoundationEssentials
import JobAPI
import NIOCore
import NIOHTTP1
import NIOPosix

/// Talks to the daemon over its Unix socket. Every call throws ``ClientError`` (or `CancellationError`).
package struct JobClient: Sendable {
    package let socket: String
    /// The time a whole request may take; following events is not bounded.
    package let timeout: Duration
    /// The largest answer accepted, in bytes.
    package let bodyLimit: Int
    /// Takes a line for the person who waits.
    let note: @Sendable (String) -> Void
    let group: any EventLoopGroup

    /// Runs `body` with a client and stops the client's one thread afterwards.
    package static func with<R: Sendable>(
        socket: String, timeout: Duration = .seconds(30), bodyLimit: Int = 64 << 20,
        note: @escaping @Sendable (String) -> Void = { _ in }, _ body: (JobClient) async throws -> R
    ) async throws -> R {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let client = JobClient(socket: socket, timeout: timeout, bodyLimit: bodyLimit, note: note, group: group)
        do {
            let result = try await body(client)
            try await group.shutdownGracefully()
            return result
        } catch {
            // What went wrong first is what the caller must hear of.
            try? await group.shutdownGracefully()
            throw error
        }
    }

    /// Sends one request and decodes its JSON answer.
    func call<T: Decodable & Sendable>(
        _ method: HTTPMethod, _ target: Target, body: [UInt8] = [], within limit: Duration? = nil,
        as type: T.Type = T.self
    ) async throws -> T {
        try await call(Request(method: method, target: target.text, body: body), within: limit)
    }

    func call<T: Decodable & Sendable>(
        _ request: Request, within limit: Duration? = nil, as type: T.Type = T.self
    ) async throws -> T {
        let bytes = try await exchange(request, within: limit)
        do {
            return try JSON.decode(T.self, from: Data(bytes))
        } catch {
            throw ClientError.malformed(call: request.name, cause: Self.words(error))
        }
    }

    /// Sends one request and returns the body of a successful answer, within `limit` or else the timeout.
    func exchange(_ request: Request, within limit: Duration? = nil) async throws -> [UInt8] {
        let timeout = limit ?? timeout
        return try await withThrowingTaskGroup(of: [UInt8]?.self) { tasks in
            let tries = Tries()
            tasks.addTask { try await persist(request, tries) }
            tasks.addTask {
                try await Task.sleep(for: timeout)
                throw tries.last ?? ClientError.timeout(call: request.name, after: timeout)
            }
            if request.persists {
                tasks.addTask {
                    try await tellOfSilence(timeout)
                    return nil
                }
            }
            defer { tasks.cancelAll() }
            while let bytes = try await tasks.next() {
                if let bytes { return bytes }
            }
            throw ClientError.broken(call: request.name, cause: "no answer came")
        }
    }

    /// Over one connection.
    func attempt(_ request: Request) async throws -> [UInt8] {
        let connection = try await HTTPConnection.open(socket, for: request, on: group)
        return try await connection.perform { head, parts in
            let bytes = try await HTTPConnection.collect(&parts, limit: bodyLimit, call: request.name)
            guard head.status.code < 300 else { throw Self.failure(head.status, bytes, request) }
            return bytes
        }
    }

    /// The error an unsuccessful answer stands for.
    static func failure(_ status: HTTPResponseStatus, _ body: [UInt8], _ request: Request) -> ClientError {
        do {
            return .refused(try JSON.decode(APIError.Envelope.self, from: Data(body)).error)
        } catch {
            let start = String(decoding: body.prefix(200), as: UTF8.self)
            return .malformed(call: request.name, cause: "status \(status.code) with \"\(start)\"")
        }
    }

    static func words(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        let (problem, context): (String, DecodingError.Context) =
            switch error {
            case .keyNotFound(let key, let context): ("\"\(key.stringValue)\" is missing", context)
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                (context.debugDescription, context)
            @unknown default: ("\(error)", .init(codingPath: [], debugDescription: ""))
            }
        let path = context.codingPath.map(\.stringValue).joined(separator: ".")
        return path.isEmpty ? problem : "\(problem) (at \(path))"
    }
}
