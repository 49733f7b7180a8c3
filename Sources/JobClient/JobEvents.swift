import FoundationEssentials
package import JobAPI
import NIOCore
import NIOHTTP1
import NIOPosix

/// The events of one job as they arrive. Reading slowly slows the daemon's sending, nothing piles up here.
package struct JobEvents: AsyncSequence {
    package typealias Element = JobEvent

    let parts: ResponseParts
    let call: String

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(parts: parts, call: call) }

    package struct AsyncIterator: AsyncIteratorProtocol {
        var parts: ResponseParts
        let call: String
        var parser = EventParser()
        var waiting: [ServerSentEvent] = []
        var position = 0

        /// - Throws: ``ClientError``; a connection that ends is the end of the sequence.
        package mutating func next() async throws -> JobEvent? {
            while true {
                while position < waiting.count {
                    position += 1
                    if let event = try decode(waiting[position - 1]) { return event }
                }
                guard case .body(let buffer)? = try await parts.next() else {
                    try Task.checkCancellation()
                    return nil
                }
                do {
                    waiting = try parser.feed(buffer.readableBytesView)
                    position = 0
                } catch {
                    throw ClientError.malformed(call: call, cause: error.description)
                }
            }
        }

        /// Nil for an event this release does not know: a newer daemon may send more kinds.
        private func decode(_ event: ServerSentEvent) throws -> JobEvent? {
            guard JobEvent.Kind(rawValue: event.name) != nil else { return nil }
            do {
                var decoded = try JSON.decode(JobEvent.self, from: Data(event.data.utf8))
                decoded.position = event.id
                return decoded
            } catch {
                throw ClientError.malformed(call: call, cause: JobClient.words(error))
            }
        }
    }
}

extension JobClient {
    package enum EventStart: String, Sendable {
        /// Everything that has happened first.
        case start
        /// Only what is new.
        case now
    }

    /// Follows a job; the connection lasts as long as `body` runs. The sequence ends after the final state, and also when
    /// the daemon goes away.
    /// - Parameter position: of the last event that was taken over an earlier connection: output goes on after it.
    package func events<R: Sendable>(
        of id: JobID, from start: EventStart = .start, after position: String? = nil, logs: Bool,
        _ body: (JobEvents) async throws -> R
    ) async throws -> R {
        let target = Target("jobs", "\(id)", "events").query("from", start.rawValue)
            .query("logs", logs ? "true" : "false")
        var request = Request(method: .GET, target: target.text)
        if let position { request.headers.append(("last-event-id", position)) }
        let connection = try await HTTPConnection.open(socket, for: request, on: group)
        return try await connection.perform { head, parts in
            guard head.status.code < 300 else {
                let bytes = try await HTTPConnection.collect(&parts, limit: 1 << 20, call: request.name)
                throw Self.failure(head.status, bytes, request)
            }
            return try await body(JobEvents(parts: parts, call: request.name))
        }
    }
}
