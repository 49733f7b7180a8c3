import Testing
import Units

@testable import ConfigFile

@Suite struct ConfigReaderTests {
    enum Colour: String, CaseIterable { case red, green }

    private func reader(_ text: String) throws -> ConfigReader {
        ConfigReader(try TOMLParser.parse(text, file: "job.toml"), file: "job.toml", collector: .init())
    }

    @Test func unknownKeyNamesItsLineAndNearMatch() throws {
        let reader = try reader("name = \"x\"\n\nepoch = 3\n")
        _ = reader.string("name")
        _ = reader.integer("epochs")
        reader.finish()
        #expect(
            reader.collector.problems.map(\.description)
                == ["job.toml:3: unknown key \"epoch\" at the top level; did you mean \"epochs\"?"])
    }

    @Test func wrongTypesAndRangesAreAllCollected() throws {
        let reader = try reader("a = \"1\"\nb = 7\nc = 3\nd = [1]\ne = \"2 GB of\"\nf = \"rad\"\n")
        #expect(reader.integer("a") == nil)
        #expect(reader.string("b") == nil)
        #expect(reader.integer("c", in: 4...5) == nil)
        #expect(reader.strings("d") == nil)
        #expect(reader.size("e") == nil)
        #expect(reader.choice("f", Colour.self) == nil)
        reader.finish()
        let lines = reader.collector.problems.map(\.description)
        #expect(lines.count == 6)
        #expect(lines[0] == "job.toml:1: \"a\" must be an integer, not a string")
        #expect(lines[2] == "job.toml:3: \"c\" is 3; it must be from 4 to 5")
        #expect(lines[5] == "job.toml:6: \"f\" is \"rad\"; it must be one of red, green; did you mean \"red\"?")
        #expect(throws: ConfigProblems.self) { try reader.collector.check() }
    }

    @Test func integersAreNumbersToo() throws {
        let reader = try reader("watts = 250\n[a.b]\nc = 1\n")
        #expect(reader.number("watts") == 250)
        let inner = reader.table("a")?.table("b")
        #expect(inner?.name == "a.b")
        #expect(inner?.integer("c") == 1)
        reader.finish()
        #expect(reader.collector.problems.isEmpty)
    }

    @Test(arguments: [("epoch", "epochs"), ("memroy", "memory"), ("xyz", nil), ("Batch-Size", "batch-size")])
    func nearMatches(word: String, match: String?) {
        #expect(nearMatch(word, among: ["epochs", "memory", "batch-size"]) == match)
    }
}
