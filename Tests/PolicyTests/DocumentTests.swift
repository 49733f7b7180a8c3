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
        let plain = ["machine", "site", "billing", "ledger", "limits", "access", "notify", "carbon", "fair-share"]
        let nested = [
            "machine.power-limit-floor", "carbon.source", "carbon.price", "queue.NAME.defer", "sandbox.NAME",
            "reservation.NAME", "budget.NAME",
        ]
        let text =
            (plain + nested).map { "[\($0)]\n\(wrong)" }.joined() + "[queue.NAME]\ndefault = true\n\(wrong)"
            + "[[rule]]\nname = \"a\"\nthen = \"deny\"\n\(wrong)[rule.match]\n\(wrong)[queue.b]\nsandbox=\"NAME\"\n"
        var known: Set<String> = []
        for problem in PolicyCheck.check(files: [("p.toml", text)]) {
            // A source is neither a file nor a service, and a price has no file.
            if problem.message.contains("carbon"), !problem.message.hasPrefix("unknown key") { continue }
            let section = problem.message.split(separator: "[").last?.dropLast() ?? ""
            let hint = problem.hint ?? ""
            #expect(hint.hasPrefix("known here: "), "\(problem)")
            for key in hint.dropFirst("known here: ".count).split(separator: ", ") { known.insert("\(section).\(key)") }
        }
        for table in ["rule.match", "machine.power-limit-floor", "queue.NAME.defer", "fair-share.weights"] {
            #expect(known.remove(table) != nil)
        }
        known.insert("fair-share.weights.NAME")
        #expect(known == Set(PolicyKey.all.map(\.name)))
        #expect(PolicyKey.all.count == known.count)
        let top = problems("zzzzzzzzzzzzzzzz = 1\n")
        #expect(
            top == [
                "p.toml:1: unknown key \"zzzzzzzzzzzzzzzz\" at the top level; known here: access, billing, budget, carbon, fair-share, ledger, limits, machine, notify, queue, reservation, rule, sandbox, site"
            ])
    }

    @Test(arguments: PolicyKey.all)
    func theExampleIsTaken(key: PolicyKey) {
        let parts = key.name.split(separator: ".").map(String.init)
        let last = parts[parts.count - 1]
        let setting = "\(last) = \(key.example)\n"
        let section = parts.dropLast().joined(separator: ".")
        /// What the key cannot stand without.
        func others(_ lines: String...) -> String {
            lines.filter { !$0.hasPrefix(last + " ") }.map { $0 + "\n" }.joined()
        }
        let text: String
        switch section {
        case "rule":
            let action = ["up-to", "until", "minimise"].contains(last) ? "defer" : "cap"
            let isPlain = ["name", "then", "message"].contains(last)
            text =
                "[[rule]]\n" + others("name = \"a\"", "then = \"\(isPlain ? "deny" : action)\"")
                + (last == "minimise" ? "up-to = \"1 h\"\n" : "") + setting
        case "rule.match": text = "[[rule]]\nname = \"a\"\nthen = \"deny\"\n[rule.match]\n" + setting
        case "queue.NAME": text = "[queue.long]\n[queue.batch]\n" + others("default = true") + setting
        case "queue.NAME.defer":
            text =
                "[queue.batch]\ndefault = true\n[queue.batch.defer]\n"
                + (last == "resume-below" ? "suspend-above = \"400 g/kWh\"\n" : "") + setting
        case "sandbox.NAME": text = "[sandbox.default]\n" + setting
        case "carbon.source":
            let service = "url = \"http://localhost/\""
            text =
                "[\(section)]\n"
                + (last == "file"
                    ? "" : others(service, "format = \"electricity-maps\"", "zone = \"FR\"")) + setting
        case "carbon.price": text = "[\(section)]\n" + others("file = \"/a\"", "currency = \"EUR\"") + setting
        case "reservation.NAME":
            let time =
                ["start", "end"].contains(last)
                ? others("start = \"2026-11-24\"", "end = \"2026-11-25\"") : others("hour = \"08-18\"")
            text = "[\(section)]\n" + time + others("cpus = 1", "user = \"bob\"") + setting
        case "budget.NAME":
            text = "[carbon]\nprice = \"1 EUR/kWh\"\n[\(section)]\n" + others("energy = \"1 kWh/day\"") + setting
        default: text = "[\(section)]\n" + setting
        }
        #expect(problems(text).isEmpty, "\(problems(text))")
    }

    /// The defaults the list names are those in force.
    @Test func theDefaultsAreTheBuiltIn() throws {
        let report = try policy(
            """
            [queue.NAME]
            [queue.b]
            default = true
            [fair-share]
            strength = 0
            weights = { NAME = 1 }
            [reservation.NAME]
            hour = "08-18"
            cpus = 1
            user = "bob"
            [budget.NAME]
            energy = "1 kWh/day"
            """
        ).report().settings
        let given = ["reservation.NAME.hour", "reservation.NAME.cpus", "reservation.NAME.user", "budget.NAME.energy"]
        let values = Dictionary(uniqueKeysWithValues: report.map { ($0.key, $0.value) })
        for key in PolicyKey.all where !key.name.hasPrefix("rule.") && !given.contains(key.name) {
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

    /// Each example of the document is a policy of its own.
    @Test func theExamplesAreTaken() throws {
        var blocks: [[Substring]] = [[]]
        for line in try Self.read("docs/policy.md").split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("    ") || (line.isEmpty && blocks[blocks.count - 1].isEmpty == false) {
                blocks[blocks.count - 1].append(line.dropFirst(4))
            } else {
                blocks.append([])
            }
        }
        let examples = blocks.filter { $0.first?.hasPrefix("[") ?? false }.map { $0.joined(separator: "\n") }
        #expect(examples.count >= 12)
        for example in examples {
            let verdict = PolicyCheck.verdict(files: [("example.toml", example)])
            #expect(verdict.problems.isEmpty && verdict.warnings.isEmpty, "\(example)\n\(verdict)")
        }
    }

    private static let ready = [
        "budgeted.toml", "carbon-aware.toml", "gpu-share.toml", "power-capped.toml", "shared-lab.toml",
    ]

    /// The ready sets, alone and laid over each other in every combination, in both orders.
    @Test func theReadySetsAreTaken() throws {
        let texts = try Self.ready.map { (name: $0, text: try Self.read("policies/" + $0)) }
        for chosen in 1..<(1 << texts.count) {
            let files = texts.enumerated().filter { chosen >> $0.offset & 1 == 1 }.map(\.element)
            for order in [files, files.reversed()] {
                let numbered = order.enumerated().map {
                    (name: "\($0.offset)-\($0.element.name)", text: $0.element.text)
                }
                let verdict = PolicyCheck.verdict(files: numbered)
                #expect(verdict.problems.isEmpty && verdict.warnings.isEmpty, "\(numbered.map(\.name)): \(verdict)")
            }
        }
    }

    @Test func theReadmeNamesTheReadySets() throws {
        let text = try Self.read("policies/README.md")
        for name in Self.ready + ["default.toml"] { #expect(text.contains("| `\(name)` |"), "\(name)") }
        let blocks = text.split(separator: "\n").filter { $0.hasPrefix("    ") && !$0.contains("policies.d") }
        #expect(problems(blocks.map { String($0.dropFirst(4)) }.joined(separator: "\n")).isEmpty)
    }
}
