import ConfigFile
import FoundationEssentials
import Glibc
import HTTPTypes
import Hummingbird
import JobAPI
import Ledger
import Logging
import NIOCore
import NIOHTTP1

/// How values and errors become HTTP responses.
enum Responses {
    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        var bytes = try JSON.encode(value, pretty: true)
        bytes.append(0x0A)
        return Response(
            status: status, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    static func failure(_ error: any Error, logger: Logger) -> Response {
        let answer: APIError =
            switch error {
            case let error as APIError: error
            case let error as LedgerError: apiError(error)
            case let error as HTTPError where error.status == .notFound || error.status == .methodNotAllowed:
                APIError(.notFound, "there is no such endpoint", hint: "docs/api.md lists them")
            case let error as HTTPError where error.status == .contentTooLarge:
                APIError(
                    .tooLarge, "the request's body is too large",
                    hint: "a job's description has at most 1 MiB, a grant 16 KiB; put more into a file the job reads")
            case let error as HTTPError where error.status.kind == .clientError:
                APIError(.invalidRequest, "the request is not one mld takes: \(error.status)")
            case is HTTPParserError:
                APIError(.invalidRequest, "the request broke off, or is no HTTP", hint: "send it again")
            case let error as DecodingError: APIError(.invalidRequest, describe(error))
            default: APIError(.internalError, "\(error)")
            }
        if answer.code == .internalError {
            // Nobody is left to be answered, and nothing is wrong with mld.
            if let error = error as? IOError, [EBADF, EPIPE, ECONNRESET, ENOTCONN].contains(error.errnoCode) {
                logger.debug("a client went away: \(answer.message)")
            } else {
                logger.error("request failed: \(answer.message)")
            }
        }
        let status = HTTPResponse.Status(code: answer.httpStatus)
        do {
            return try json(APIError.Envelope(answer), status: status)
        } catch {
            return Response(status: .internalServerError)
        }
    }

    static func apiError(_ error: LedgerError) -> APIError {
        APIError(.storage, "\(error)", hint: error.kind == .full ? "free space, then try again" : nil)
    }

    /// What in the JSON body was wrong, and where.
    private static func describe(_ error: DecodingError) -> String {
        let place = { (path: [any CodingKey]) -> String in
            let name = path.map(\.stringValue).joined(separator: ".")
            return name.isEmpty ? "the body" : "\"\(name)\""
        }
        return switch error {
        case .typeMismatch(_, let context): "\(place(context.codingPath)): \(context.debugDescription)"
        case .valueNotFound(_, let context): "\(place(context.codingPath)) must not be null"
        case .keyNotFound(let key, let context):
            "\"\(key.stringValue)\" is missing in \(place(context.codingPath))"
        case .dataCorrupted(let context): "\(place(context.codingPath)): \(context.debugDescription)"
        @unknown default: "the body is not what it should be"
        }
    }

    /// Server-Sent Events: `event: TYPE` and `data: JSON` for each event that `follow` emits, with an `id` on output.
    static func events(
        _ follow:
            @escaping @Sendable (_ emit: (JobFollower.Message) async throws -> Void) async throws -> Void
    ) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
            body: .init { writer in
                try await follow { message in
                    let text =
                        switch message {
                        case .event(let event): "event: \(event.type.rawValue)\ndata: \(try JSON.text(event))\n\n"
                        case .output(let event, let position):
                            "id: \(position)\nevent: \(event.type.rawValue)\ndata: \(try JSON.text(event))\n\n"
                        case .ping: ": ping\n\n"
                        }
                    try await writer.write(ByteBuffer(string: text))
                }
                try await writer.finish(nil)
            })
    }
}
