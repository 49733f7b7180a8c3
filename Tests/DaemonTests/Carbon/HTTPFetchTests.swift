import Foundation
import JobAPI
import Testing
import Units

@testable import Daemon

/// Getting an answer from a service that may be anything.
@Suite struct HTTPFetchTests {
    private func get(
        _ answer: CannedServer.Answer, within: Duration = .seconds(20), limit: Int = 1000, path: String = "/x?zone=DE"
    ) async throws -> String {
        try await CannedServer.with({ _ in answer }) { server in
            let url = try #require(PlainURL(server.address + path))
            let fetch = HTTPFetch(timeLimit: within, sizeLimit: limit)
            return String(decoding: try await fetch.get(url, headers: [("auth-token", "s3cret")]), as: UTF8.self)
        }
    }

    private func problem(
        _ answer: CannedServer.Answer, within: Duration = .seconds(20), limit: Int = 1000
    ) async throws -> DaemonError {
        do {
            let text = try await get(answer, within: within, limit: limit)
            throw RunningDaemon.Failure("it was taken: \(text)")
        } catch let error as DaemonError {
            return error
        }
    }

    @Test func theRequestIsOneLineAndItsHeaders() async throws {
        try await CannedServer.with({ _ in .json("{}") }) { server in
            let url = try #require(PlainURL(server.address + "/v3/latest?zone=DE#part"))
            let fetch = HTTPFetch(timeLimit: .seconds(20), sizeLimit: 10)
            #expect(try await fetch.get(url, headers: [("auth-token", "s3cret")]) == Array("{}".utf8))
            let lines = try #require(server.requests.first).components(separatedBy: "\r\n")
            #expect(lines.first == "GET /v3/latest?zone=DE HTTP/1.1")
            #expect(lines.contains("host: 127.0.0.1:\(server.port)") && lines.contains("auth-token: s3cret"))
            #expect(lines.contains("connection: close"))
        }
    }

    @Test func answersInPiecesAndWithoutALengthAreWhole() async throws {
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        #expect(try await get(.raw(chunked)) == "abcde")
        #expect(try await get(.raw("HTTP/1.0 200 OK\r\n\r\nto the end")) == "to the end")
        let hints = "HTTP/1.1 103 Early Hints\r\n\r\n"
        let text = try await get(.raw(hints + "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"))
        #expect(text == "x")
    }

    @Test(arguments: [
        ("401 Unauthorized", "answered 401: {\"error\":\"no\"}", "carbon.source.token-file"),
        ("404 Not Found", "answered 404", "carbon.source.url"), ("429 Too Many", "answered 429", "carbon.refresh"),
    ])
    func refusalsSayWhatToDo(status: String, message: String, hint: String) async throws {
        let error = try await problem(.json("{\"error\":\"no\"}", status: status))
        #expect(error.message.contains(message) && error.hint?.contains(hint) == true, "\(error)")
        #expect(!"\(error)".contains("s3cret"))
    }

    @Test func aBrokenServiceIsToldAsSuch() async throws {
        #expect(try await problem(.json("{}", status: "500 Internal Server Error")).message.contains("answered 500"))
        #expect(try await problem(.raw("")).message.contains("gave no answer"))
        #expect(try await problem(.raw("SSH-2.0-OpenSSH_9\r\n\r\n")).message.contains("what is not HTTP"))
        let cut = try await problem(.raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"))
        #expect(cut.message.contains("cut its answer short"), "\(cut)")
    }

    @Test func nothingIsFollowedElsewhere() async throws {
        let error = try await problem(
            .json("", status: "302 Found", headers: ["Location: http://127.0.0.1:1/other"]))
        #expect(error.message.contains("answered 302") && error.hint?.contains("not followed") == true)
    }

    @Test func sizeAndTimeAreBounded() async throws {
        let large = String(repeating: "x", count: 2000)
        #expect(try await problem(.json(large)).message.contains("more than 1000 bytes"))
        // Without an end, and an error without one.
        #expect(try await problem(.raw("HTTP/1.1 200 OK\r\n\r\n" + large, stays: true)).message.contains("more than"))
        let error = try await problem(.raw("HTTP/1.1 500 No\r\n\r\n" + large + large + large, stays: true))
        #expect(error.message.contains("answered 500"))
        let slow = try await problem(.raw("HTTP/1.1 200 OK\r\n", stays: true), within: .milliseconds(200))
        #expect(slow.message.contains("no whole answer within"), "\(slow)")
    }

    @Test func whereNobodyListensIsSaid() async throws {
        let server = try CannedServer { _ in .json("{}") }
        server.stop()
        let url = try #require(PlainURL(server.address))
        let fetch = HTTPFetch(timeLimit: .seconds(20), sizeLimit: 10)
        await #expect { try await fetch.get(url) } throws: { "\($0)".contains("cannot be reached: Connection refused") }
    }

    @Test func addressesInTheirParts() throws {
        let url = try #require(PlainURL("http://[::1]:8080/a/latest?x=1#y"))
        #expect(url.host == "::1" && url.port == 8080 && url.path == "/a/latest" && url.query == "x=1")
        #expect(url.hostHeader == "[::1]:8080" && url.target == "/a/latest?x=1")
        #expect(url.asking("zone", "DE").target == "/a/latest?x=1&zone=DE" && url.asking("x", "2") == url)
        #expect(PlainURL("http://h")?.target == "/" && PlainURL("http://h?zone=DE")?.target == "/?zone=DE")
        let others = [
            "https://h/", "http://", "http://:80/", "http://a@b/", "http://h:0/", "http://h:x/", "http://h/a b",
            "http://[::1", "http://a:1:2/",
        ]
        for text in others { #expect(PlainURL(text) == nil, "\(text)") }
    }
}
