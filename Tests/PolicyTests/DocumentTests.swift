import ConfigFile
import FoundationEssentials
import JobAPI
import Testing

@testable import Policy

/// The parser, the list of keys, `docs/policy.md` and `policies/default.toml` say the same.
@Suite struct DocumentTests {
    private static func read(_ path: String, from file: String = #filePath) throws -> String {
        let root = file.split(separator: "/").dropLast(3).joined(separator: "/")
        return String(decoding: try Data(contentsOf: URL(filePath: "/\(root)/\(path)")), as: UTF8.self)
    }

    @Test func theShippedDefaultIsTheBuiltIn() throws {
        let shipped = try PolicySet.load(files: [("default.toml", try Self.read("policies/default.toml"))])
        let ours = PolicySet.builtIn.report().settings
        let theirs = shipped.report().settings
        #expect(theirs.map(\.key) == ours.map(\.key))
        #expect(theirs.map(\.value) == ours.map(\.value))
        #expect(ours.allSatisfy { $0.source == "built in" })
        #expect(theirs.contains { $0.source.hasPrefix("default.toml:") })
    }

    @Test func theDocumentListsTheKeys() throws {
        let rows = try Self.read("docs/policy.md").split(separator: "\n").filter { $0.hasPrefix("| `") }
            .map {
                $0.split(separator: "|").map {
                    $0.drop { $0 == " " || $0 == "`" }.reversed().drop { $0 == " " || $0 == "`" }
                }
            }
            .map { $0.map { String($0.reversed()) } }
        let documented = rows.map { Array($0.prefix(5)) }
        #expect(documented == PolicyKey.all.map { [$0.name, $0.type, $0.unit, $0.standard, $0.example] })
        #expect(rows.allSatisfy { $0.count == 6 }, "each key has a sentence")
    }

    /// A wrong key makes the parser say which it knows.
    @Test func theParserKnowsTheKeys() {
        let wrong = "zzzzzzzzzzzzzzzz = 1\n"
        let text =
            "[machine]\n\(wrong)[site]\n\(wrong)[billing]\n\(wrong)[ledger]\n\(wrong)[limits]\n\(wrong)[access]\n\(wrong)[notify]\n\(wrong)[queue.NAME]\ndefault = true\n\(wrong)"
            + "[sandbox.NAME]\n\(wrong)[[rule]]\nname = \"a\"\nthen = \"deny\"\n\(wrong)[rule.match]\n\(wrong)[queue.b]\nsandbox=\"NAME\"\n"
        var known: Set<String> = []
        for problem in PolicyCheck.check(files: [("p.toml", text)]) {
            let section = problem.message.split(separator: "[").last?.dropLast() ?? ""
            let hint = problem.hint ?? ""
            #expect(hint.hasPrefix("known here: "), "\(problem)")
            for key in hint.dropFirst("known here: ".count).split(separator: ", ") { known.insert("\(section).\(key)") }
        }
        known.remove("rule.match")
        #expect(known == Set(PolicyKey.all.map(\.name)))
        #expect(PolicyKey.all.count == known.count)
        let top = problems("zzzzzzzzzzzzzzzz = 1\n")
        #expect(
            top == [
                "p.toml:1: unknown key \"zzzzzzzzzzzzzzzz\" at the top level; known here: access, billing, ledger, limits, machine, notify, queue, rule, sandbox, site"
            ])
    }

    @Test(arguments: PolicyKey.all)
    func theExampleIsTaken(key: PolicyKey) {
        let parts = key.name.split(separator: ".").map(String.init)
        let setting = "\(parts[parts.count - 1]) = \(key.example)\n"
        let text: String
        switch (parts[0], parts.count) {
        case ("rule", 2):
            let others = ["name = \"a\"\n", "then = \"deny\"\n"].filter { !$0.hasPrefix(parts[1]) }
            text = "[[rule]]\n" + others.joined() + setting
        case ("rule", _): text = "[[rule]]\nname = \"a\"\nthen = \"deny\"\n[rule.match]\n" + setting
        case ("queue", _): text = "[queue.batch]\n" + (parts[2] == "default" ? "" : "default = true\n") + setting
        case ("sandbox", _): text = "[sandbox.default]\n" + setting
        default: text = "[\(parts[0])]\n" + setting
        }
        #expect(problems(text).isEmpty, "\(problems(text))")
    }

    /// The defaults the list names are those in force.
    @Test func theDefaultsAreTheBuiltIn() throws {
        let report = try policy("[queue.NAME]\n[queue.b]\ndefault = true\n").report().settings
        let values = Dictionary(uniqueKeysWithValues: report.map { ($0.key, $0.value) })
        for key in PolicyKey.all where !key.name.hasPrefix("rule.") {
            let shown = key.name.replacing("sandbox.NAME", with: "sandbox.default")
            #expect(values[shown] == key.standard, "\(key.name)")
        }
    }

    @Test func theReportNamesTheSource() throws {
        let set = try policy(
            "[site]\nzone = \"DE\"\n[[rule]]\nname = \"x\"\nmatch = { user = [\"a\", \"b\"], hour = \"22-06\" }\nthen = \"hold\"\n"
        )
        let lines = set.report().settings
        #expect(lines.contains(.init(key: "site.zone", value: "DE", source: "p.toml:2")))
        #expect(
            lines.contains(
                .init(key: "rule.x", value: "hold when user = a, b and hour = 22-06 UTC", source: "p.toml:3")))
        #expect(set.report().hash.count == 64)
        #expect(set.report().files == ["p.toml"])
    }
}
