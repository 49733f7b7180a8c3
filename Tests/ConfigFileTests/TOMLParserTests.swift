import TestSupport
import Testing
import Units

@testable import ConfigFile

@Suite struct TOMLParserTests {
    private func parse(_ text: String) throws -> ConfigTable { try TOMLParser.parse(text, file: "t.toml") }

    @Test func everyKindOfValue() throws {
        let table = try parse(
            #"""
            text = "a\tb \u00e9"   # comment
            raw = 'C:\x'
            int = 1_000
            hex = 0xFF
            neg = -7
            float = 6.5e-3
            yes = true
            when = 2026-11-24T08:00:00Z
            day = 2026-11-24
            list = [1, 2,
              3, # trailing
            ]
            point = { x = 1, y.z = "q" }
            multi = """
            one
            two \
               three"""
            literal = '''
            a'b'''
            """#)
        #expect(table["text"]?.value == .string("a\tb é"))
        #expect(table["raw"]?.value == .string("C:\\x"))
        #expect(table["int"]?.value == .integer(1000))
        #expect(table["hex"]?.value == .integer(255))
        #expect(table["neg"]?.value == .integer(-7))
        #expect(table["float"]?.value == .float(0.0065))
        #expect(table["yes"]?.value == .boolean(true))
        #expect(
            table["list"]?.value
                == .array([.init(.integer(1), line: 10), .init(.integer(2), line: 10), .init(.integer(3), line: 11)]))
        #expect(table["multi"]?.value == .string("one\ntwo three"))
        #expect(table["literal"]?.value == .string("a'b"))
        guard case .timestamp(let time) = table["when"]?.value, case .timestamp(let day) = table["day"]?.value else {
            Issue.record("times were not read")
            return
        }
        #expect("\(time)" == "2026-11-24T08:00:00Z")
        #expect(day.day == "2026-11-24")
        guard case .table(let point) = table["point"]?.value, case .table(let y) = point["y"]?.value else {
            Issue.record("the inline table was not read")
            return
        }
        #expect(y["z"]?.value == .string("q"))
    }

    @Test func linesAreKept() throws {
        let table = try parse("\n[a]\n\nb = 1\n[a.c]\nd = \"\"\"\nx\n\"\"\"\ne = 2\n[[f]]\n[[f]]\ng = 1\n")
        guard case .table(let a) = table["a"]?.value, case .table(let c) = a["c"]?.value,
            case .array(let f) = table["f"]?.value, case .table(let second) = f[1].value
        else {
            Issue.record("tables were not read")
            return
        }
        #expect(table.entry("a")?.line == 2)
        #expect(a.entry("b")?.line == 4)
        #expect(a.entry("c")?.line == 5)
        #expect(c.entry("e")?.line == 9)
        #expect(f.count == 2)
        #expect(second.entry("g")?.line == 12)
    }

    @Test(arguments: [
        ("a = ", 1), ("a = 1 b = 2", 1), ("a = 1\na = 2", 2), ("[a]\n[a]", 2), ("a = \"x", 1), ("a = 01", 1),
        ("a = 1__0", 1), ("a = nope", 1), ("= 1", 1), ("a = [1, 2", 1), ("a = {x = 1", 1), ("a = {x = 1}\n[a.b]", 2),
        ("[[a]]\n[a]", 2), ("a = 1\n[[a]]", 2), ("a.b = 1\n[a]", 2), ("\n\na = \"\\q\"", 3), ("a = \"\u{1}\"", 1),
        ("a = 99999999999999999999", 1), ("a = 1.", 1), ("a = .5", 1), ("[a", 1), ("a = '''x", 1),
        ("a = \"\\ud800\"", 1),
    ])
    func errorsNameTheLine(text: String, line: Int) {
        let problem = #expect(throws: ConfigProblem.self) { try parse(text) }
        #expect(problem?.line == line)
        #expect(problem?.file == "t.toml")
    }

    @Test func deepNestingIsRefusedNotACrash() {
        #expect(throws: ConfigProblem.self) { try parse("a = " + String(repeating: "[", count: 100_000)) }
        #expect(throws: ConfigProblem.self) { try parse(String(repeating: "a.", count: 100_000) + "a = 1") }
        #expect(throws: ConfigProblem.self) { try parse("a = \"" + String(repeating: "x", count: 2 << 20) + "\"") }
    }

    @Test func arbitraryBytesNeverTrap() {
        var generator = Seeded(7)
        let alphabet = Array("ab=.[]{}\"'\\#,\n\r 019-+_eEtrufx:TZ\u{e9}".unicodeScalars)
        for _ in 0..<20_000 {
            var text = ""
            for _ in 0..<Int.random(in: 0...40, using: &generator) {
                text.unicodeScalars.append(alphabet[Int.random(in: 0..<alphabet.count, using: &generator)])
            }
            do {
                _ = try parse(text)
            } catch let problem as ConfigProblem {
                #expect(problem.line >= 1)
            } catch {
                Issue.record("unexpected error \(error)")
            }
        }
    }
}
