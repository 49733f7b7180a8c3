import JobAPI
import Testing
import Units

@testable import Commands

/// What the documents say is what the program does.
@Suite struct DocumentationTests {
    private func document(_ name: String) throws -> String {
        let here = "\(#filePath)"
        let root = here.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        return try readText(root + "/docs/" + name)
    }

    /// The keys in the first column of a document's tables.
    private func keys(_ text: String) -> Set<String> {
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `") }
        return Set(rows.compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) })
    }

    @Test func exampleJobFileHasEveryKeyAndIsTaken() throws {
        let text = try document("job-file.md")
        let example = try #require(text.split(separator: "```toml\n").last?.split(separator: "```").first)
        let spec = try JobSpec.parse(String(example), file: "job.toml", directory: "/w", home: "/h")
        #expect(spec.resources.timeLimit == 5400)
        #expect(spec.sandbox.readWrite == ["/h/results"])
        var section = ""
        var written: Set<String> = ["train"]
        for line in example.split(separator: "\n") {
            if line.hasPrefix("[") {
                section = line.dropFirst().dropLast() + "."
            } else if let key = line.split(separator: " ").first {
                written.insert(section + key)
            }
        }
        #expect(keys(text) == written)
    }

    @Test func everyVerbIsDescribed() async throws {
        let text = try document("cli.md")
        let headings = text.split(separator: "\n").filter { $0.hasPrefix("## ") }
            .flatMap { $0.dropFirst(3).split(separator: ", ") }
        let help = await Terminal().run(["--help"]).out
        let list = try #require(help.split(separator: "SUBCOMMANDS:\n").last)
        // A verb stands two spaces in; what is said of it stands further in.
        let verbs = list.split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
            .compactMap { $0.split(separator: " ").first }.filter { $0 != "See" }
        #expect(verbs.count == 19)
        for verb in verbs {
            #expect(headings.contains(verb), "\(verb)")
            #expect(text.contains("\n| `\(verb)"), "\(verb)")
        }
    }

    /// The options of the verbs that replay jobs have a table of their own.
    @Test func everyOptionOfASimulationIsDescribed() async throws {
        let text = try document("cli.md")
        let section = try #require(text.split(separator: "\n## policy\n").last?.split(separator: "\n## ").first)
        let described = Set(section.matches(of: /`(--[a-z-]+)/).map { String($0.1) })
        var offered: Set<String> = []
        for verb in ["simulate", "compare", "tune"] {
            let help = await Terminal().run(["policy", verb, "--help"]).out
            let options = try #require(help.split(separator: "OPTIONS:\n").last)
            offered.formUnion(options.matches(of: /\n? {2}(--[a-z-]+)/).map { String($0.1) })
        }
        #expect(offered.subtracting(["--version"]) == described)
    }
}
