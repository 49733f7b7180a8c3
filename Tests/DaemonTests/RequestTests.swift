import Foundation
import Glibc
import JobAPI
import JobClient
import Testing

/// Requests that are wrong as HTTP, and what they are answered.
@Suite(.serialized, .timeLimit(.minutes(1))) struct RequestTests {
    @Test func eachRefusalSaysWhatIsWrong() async throws {
        try await RunningDaemon.with { daemon in
            func answer(_ head: String, _ body: String = "") throws -> (status: Int, error: APIError) {
                try Self.ask(daemon.socket, head + "\r\nHost: x\r\nConnection: close\r\n", body)
            }
            let large = try answer(
                "POST /v1/jobs HTTP/1.1\r\nContent-Length: \(2 << 20)", String(repeating: " ", count: 2 << 20))
            #expect(large.status == 413 && large.error.code == .tooLarge)
            #expect(large.error.message == "the request's body is too large")
            let missing = try answer("GET /v1/nothing HTTP/1.1")
            #expect(missing.status == 404 && missing.error.message == "there is no such endpoint")
            let method = try answer("DELETE /v1/jobs HTTP/1.1")
            #expect(method.status == 404 && method.error.code == .notFound)
        }
    }

    /// The client's doing, and nothing for the daemon's log.
    @Test func aBodyThatBreaksOffIsRefusedAndNotLogged() async throws {
        try await RunningDaemon.with { daemon in
            let answer = try Self.ask(
                daemon.socket, "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n", "{\"command\": ")
            #expect(answer.status == 400 && answer.error.code == .invalidRequest)
            #expect(answer.error.message == "the request broke off, or is no HTTP")
            #expect(!daemon.log.contains("request failed"), "\(daemon.log)")
        }
    }

    @Test func anUnknownSignalIsAnsweredWithThoseThereAre() async throws {
        try await RunningDaemon.with { daemon in
            let body = #"{"command": {"argv": ["true"]}, "schedule": {"warn_signal": "KILL"}}"#
            let answer = try Self.ask(
                daemon.socket, "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n", body)
            #expect(answer.status == 400)
            #expect(
                answer.error.message
                    == "\"schedule.warnSignal\": \"KILL\" is no signal to warn with; it is one of HUP, INT, QUIT, USR1, USR2, TERM",
                "\(answer.error.message)")
        }
    }

    @Test func aSubmissionUnderWhatIsNoKeyIsRefused() async throws {
        try await RunningDaemon.with { daemon in
            let body = #"{"command": {"argv": ["true"]}}"#
            let long = String(repeating: "x", count: 4000)
            for key in ["", "two words", long, "\u{E9}", "one\r\nIdempotency-Key: other"] {
                let answer = try Self.ask(
                    daemon.socket,
                    "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nIdempotency-Key: \(key)\r\nContent-Length: \(body.utf8.count)\r\n",
                    body)
                #expect(answer.status == 400 && answer.error.code == .invalidRequest, "\(key.prefix(9))")
            }
            #expect(try await daemon.client { try await $0.jobs().jobs.isEmpty })
        }
    }

    /// Sends this, closes its own side, and reads to the end.
    private static func ask(_ path: String, _ head: String, _ body: String) throws -> (status: Int, error: APIError) {
        let socket = try UnixSocket.connect(path)
        defer { close(socket) }
        var bytes = Array((head + "\r\n" + body).utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            // It may have answered and closed before it was told all.
            guard count > 0 else { break }
            bytes = bytes.dropFirst(count)
        }
        shutdown(socket, Int32(SHUT_WR))
        var reply: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while case let count = read(socket, &buffer, buffer.count), count > 0 { reply += buffer[..<count] }
        let text = String(decoding: reply, as: UTF8.self)
        let parts = text.components(separatedBy: "\r\n\r\n")
        let words = text.split(separator: " ", maxSplits: 2)
        guard words.count == 3, let status = Int(words[1]), parts.count > 1 else {
            throw RunningDaemon.Failure("no answer: \(text)")
        }
        return (status, try JSON.decode(APIError.Envelope.self, from: Data(parts[1].utf8)).error)
    }
}
