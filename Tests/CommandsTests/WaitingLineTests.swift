import Synchronization
import Testing

@testable import Commands

/// Something that takes long shows for how long already; on a terminal only.
@Suite struct WaitingLineTests {
    /// Ends once the line was seen.
    @Test func theLineIsShownAndGoesAway() async throws {
        let seen = Mutex("")
        let (lines, line) = AsyncStream.makeStream(of: Void.self)
        var context = Terminal(isTerminal: true).context([:])
        context.errors = { bytes in
            seen.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
            line.yield()
        }
        let result = try await showingWait("counting", context, every: .zero) {
            for await _ in lines { break }
            return 7
        }
        #expect(result == 7)
        let text = seen.withLock { $0 }
        #expect(text.contains("\r\u{1b}[2Kcounting: ") && text.hasSuffix("\r\u{1b}[2K"))
    }

    @Test func elsewhereThereIsNoLine() async throws {
        var context = Terminal().context([:])
        context.errors = { _ in Issue.record("nothing is to be written") }
        #expect(try await showingWait("counting", context, every: .zero) { 7 } == 7)
    }

    @Test func failuresPassThrough() async {
        let context = Terminal(isTerminal: true).context([:])
        await #expect(throws: CancellationError.self) {
            try await showingWait("counting", context) { throw CancellationError() }
        }
    }
}
