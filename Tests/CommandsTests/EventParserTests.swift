import JobClient
import TestSupport
import Testing

@Suite struct EventParserTests {
    private func parse(_ text: String, chunk: Int = .max, limit: Int = 1 << 20) throws -> [ServerSentEvent] {
        var parser = EventParser(limit: limit)
        var events: [ServerSentEvent] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            events += try parser.feed(rest.prefix(chunk))
            rest = rest.dropFirst(chunk)
        }
        return events
    }

    @Test func fields() throws {
        let text = "\u{FEFF}: comment\nevent: state\nid: 7\nretry: 5\ndata: {\"a\":\ndata:1}\nnovel\n\n"
        #expect(try parse(text) == [.init(name: "state", data: "{\"a\":\n1}", id: "7")])
        // Only one space after the colon belongs to the syntax, and colons may follow.
        #expect(try parse("data:  a: b\n\n") == [.init(name: "message", data: " a: b")])
        #expect(try parse("data\n\n") == [.init(name: "message", data: "")])
    }

    @Test func eventsWithoutDataAreNone() throws {
        #expect(try parse("event: state\n\n: ping\n\n\n\ndata: x\n\n") == [.init(name: "message", data: "x")])
    }

    @Test func unfinishedEventIsDropped() throws {
        #expect(try parse("data: a\n\ndata: b\n").map(\.data) == ["a"])
    }

    @Test func anyLineEndAndAnyCutGiveTheSame() throws {
        let text = "event: log\ndata: {\"text\":\"grüße 🙂\"}\n\n: ping\n\ndata: 1\ndata: 2\n\n"
        let expected = try parse(text)
        #expect(expected.count == 2)
        for end in ["\n", "\r", "\r\n"] {
            let variant = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: end)
            for chunk in 1...12 { #expect(try parse(variant, chunk: chunk) == expected) }
        }
    }

    @Test func lineWithoutEndIsBounded() {
        let text = "data: " + String(repeating: "x", count: 200)
        for chunk in [1, 7, 1000] {
            #expect(throws: EventParser.Overflow(limit: 100)) { try parse(text, chunk: chunk, limit: 100) }
        }
    }

    @Test func dataWithoutEndIsBounded() {
        let text = String(repeating: "data: xxxxxxxxxx\n", count: 100)
        #expect(throws: EventParser.Overflow(limit: 100)) { try parse(text, limit: 100) }
    }

    @Test func boundIsPerEvent() throws {
        let text = String(repeating: "data: xxxxxxxxxx\n\n", count: 100)
        #expect(try parse(text, limit: 100).count == 100)
    }

    @Test func noiseDoesNotTrap() throws {
        var generator = Seeded(20_261_124)
        for _ in 0..<2000 {
            let alphabet = Array("data:event \r\n\u{00}x".utf8) + [0xFF, 0xEF, 0xBB, 0xBF]
            let count = Int.random(in: 0..<120, using: &generator)
            let bytes = (0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
            var whole = EventParser(limit: 1000)
            var pieces = EventParser(limit: 1000)
            let expected = try whole.feed(bytes)
            var found: [ServerSentEvent] = []
            for byte in bytes { found += try pieces.feed([byte]) }
            #expect(found == expected)
        }
    }
}
