import TestSupport
import Testing
import Units

@testable import Policy

/// Rules that several earlier ones leave nothing to. What the check says is held against every kind of job at every kind of
/// moment that the rules can tell apart.
@Suite struct RuleCoverTests {
    private static let queues = ["a", "b", "c"]
    /// A Tuesday, a Saturday and a Sunday, at hours on either side of 8 and 18.
    private static let times: [Timestamp] = [0, 4, 5].flatMap { day in
        [3, 12, 20].map { hour in tuesday.advanced(by: .seconds(Double(day * 24 + hour - 10) * 3600)) }
    }
    private static let intensities: [Double?] = [nil, 100, 300, 500]

    /// What of a policy decides, in the vocabulary of which `times`, `intensities` and `subjects` hold every case.
    private func rule(_ index: Int, _ random: inout Seeded) -> String {
        var match: [String] = []
        func maybe(_ key: String, _ values: [String], _ random: inout Seeded) {
            guard Int.random(in: 0..<6, using: &random) == 0 else { return }
            if let value = values.randomElement(using: &random) { match.append("\(key) = \(value)") }
        }
        maybe("user", ["\"u\"", "[\"u\", \"v\"]"], &random)
        maybe("group", ["\"g\"", "[\"g\", \"h\"]"], &random)
        maybe("project", ["\"p\"", "\"q\""], &random)
        maybe("queue", ["\"a\"", "[\"a\", \"b\"]", "\"c\"", "[\"a\", \"b\", \"c\"]"], &random)
        maybe("kind", ["\"command\"", "\"train\"", "[\"command\", \"train\"]"], &random)
        maybe("cpus-above", ["0", "2", "4"], &random)
        maybe("hour", ["\"08-18\"", "\"18-08\""], &random)
        maybe("weekday", ["\"mon-fri\"", "\"sat\"", "\"sun\"", "\"sat-sun\""], &random)
        maybe("intensity-above", ["\"200 g/kWh\"", "\"400 g/kWh\""], &random)
        let then = ["allow", "deny", "deny", "hold"].randomElement(using: &random) ?? "deny"
        let condition = match.isEmpty ? "" : "match = { \(match.joined(separator: ", ")) }\n"
        return "[[rule]]\nname = \"r\(index)\"\nthen = \"\(then)\"\n\(condition)"
    }

    private static let subjects: [RuleMatch.Subject] = {
        var all: [RuleMatch.Subject] = []
        for user in ["u", "v", "w"] {
            for groups in [[], ["g"], ["h"], ["g", "h"], ["i"]] {
                for project in ["p", "q", "r"] {
                    for queue in queues {
                        for kind in ["command", "train"] {
                            for cpus in [1, 3, 5] {
                                all.append(
                                    RuleMatch.Subject(
                                        submitter: Submitter(uid: 1, user: user, groups: groups), project: project,
                                        queue: queue, kind: kind, cpus: cpus, gpus: 0, memory: gib(1)))
                            }
                        }
                    }
                }
            }
        }
        return all
    }()

    /// The sets of rules that some case matches, each as the bits of their places. Whether a rule matches is one question about the
    /// job and one about the moment, so each is asked once.
    private func cases(_ rules: [Rule], of subjects: [RuleMatch.Subject]) -> Set<Int> {
        func bits(_ isMatch: (RuleMatch) -> Bool) -> Int {
            rules.enumerated().reduce(0) { isMatch($1.element.match) ? $0 | 1 << $1.offset : $0 }
        }
        let jobs = Set(subjects.map { subject in bits { $0.matches(subject) } })
        let moments = Set(
            Self.times.flatMap { time in
                Self.intensities.map { value in
                    let now = Conditions(intensity: value.map { CarbonIntensity(gramsPerKilowattHour: $0) })
                    return bits { $0.holds(at: time, in: now) }
                }
            })
        return Set(jobs.flatMap { job in moments.map { job & $0 } })
    }

    /// The rules of a text, whether or not the whole would be taken.
    private func parsed(_ texts: [String]) throws -> [Rule] {
        try texts.map { text in
            let queues = Self.queues.map { "[queue.\($0)]\n" + ($0 == "a" ? "default = true\n" : "") }.joined()
            return try #require(try policy(queues + text).rules.first)
        }
    }

    @Test func whatIsSaidIsWhatTryingShows() throws {
        var random = Seeded(600)
        var (hidden, together, closed, closedTogether) = (0, 0, 0, 0)
        let ofProject = Self.subjects.filter { $0.project == "p" }
        for _ in 0..<600 {
            let rules = try parsed((0..<Int.random(in: 2...5, using: &random)).map { rule($0, &random) })
            let matched = cases(rules, of: Self.subjects)
            var cover = RuleCover(queues: Self.queues)
            for (index, later) in rules.enumerated() where index > 0 {
                let hiding = cover.rules(of: Array(rules[..<index]), hiding: later)
                let isLeft = matched.contains { $0 & (1 << index) != 0 && $0 & ((1 << index) - 1) == 0 }
                #expect(hiding.isEmpty == isLeft, "\(rules.map(\.summary)) \(index)")
                // Each of those named is needed.
                for one in hiding where hiding.count > 1 {
                    let others = hiding.filter { $0.name != one.name }
                    #expect(cover.rules(of: others, hiding: later).isEmpty, "\(rules.map(\.summary)) \(index)")
                }
                hidden += hiding.isEmpty ? 0 : 1
                together += hiding.count > 1 ? 1 : 0
            }
            let takesSome = cases(rules, of: ofProject).contains { bits in
                bits == 0 || rules[bits.trailingZeroBitCount].action != .deny
            }
            let closing = cover.denials(of: rules, closing: "p")
            #expect(closing.isEmpty == takesSome, "\(rules.map(\.summary))")
            closed += closing.isEmpty ? 0 : 1
            closedTogether += closing.count > 1 ? 1 : 0
        }
        // The test says something only if all of it happens.
        let counts = [hidden, together, closed, closedTogether]
        #expect(zip(counts, [200, 5, 40, 10]).allSatisfy { $0 > $1 }, "\(counts)")
    }

    private func found(_ rules: String...) -> [String] {
        problems(
            rules.enumerated().map { "[[rule]]\nname = \"r\($0.offset)\"\n\($0.element)\n" }.joined())
    }

    @Test func severalRulesTogetherLeaveNothing() {
        let day = found(
            "then = \"deny\"\nmatch = { hour = \"08-18\" }", "then = \"hold\"\nmatch = { hour = \"18-08\" }",
            "then = \"allow\"\nmatch = { user = \"x\" }")
        #expect(day.count == 1)
        #expect(
            day.first?.hasPrefix(
                "p.toml:9: rule \"r2\" is never reached: \"r0\" (p.toml:1) and \"r1\" (p.toml:5) together match all its jobs"
            ) == true, "\(day)")
        #expect(
            found(
                "then = \"deny\"\nmatch = { kind = \"train\" }", "then = \"deny\"\nmatch = { kind = \"command\" }",
                "then = \"hold\""
            ).count == 1)
        // The built-in queues.
        #expect(
            found("then = \"deny\"\nmatch = { queue = [\"interactive\", \"batch\", \"long\"] }", "then = \"hold\"")
                .count
                == 1)
        #expect(found("then = \"deny\"\nmatch = { cpus-above = 0 }", "then = \"hold\"").count == 1)
        #expect(found("then = \"deny\"\nmatch = { memory-above = \"0 B\" }", "then = \"hold\"").count == 1)
        #expect(found("then = \"deny\"\nmatch = { gpus-above = 0 }", "then = \"hold\"").isEmpty)
        // Noon is left.
        #expect(
            found(
                "then = \"deny\"\nmatch = { hour = \"08-12\" }", "then = \"deny\"\nmatch = { hour = \"13-08\" }",
                "then = \"hold\""
            ).isEmpty)
    }

    /// An unknown figure is above nothing, and of two currencies one is never exceeded.
    @Test func whatIsNotKnownIsLeft() {
        #expect(
            found(
                "then = \"deny\"\nmatch = { intensity-above = \"1 g/kWh\" }",
                "then = \"hold\"\nmatch = { user = \"x\" }"
            ).isEmpty)
        #expect(
            found(
                "then = \"deny\"\nmatch = { price-above = \"0.1 EUR/kWh\" }",
                "then = \"hold\"\nmatch = { price-above = \"0.2 USD/kWh\" }"
            ).isEmpty)
        #expect(
            found(
                "then = \"deny\"\nmatch = { price-above = \"0.1 EUR/kWh\", hour = \"00-12\" }",
                "then = \"deny\"\nmatch = { price-above = \"0.2 EUR/kWh\", hour = \"12-24\" }",
                "then = \"hold\"\nmatch = { price-above = \"0.2 EUR/kWh\" }"
            ).count == 1)
    }

    /// What a rule with a mistake in it would match nobody knows: nothing is said of the rules behind it.
    @Test func aBrokenRuleHidesNothing() {
        let texts = [
            "match = \"everything\"", "match = { usr = \"x\" }", "match = { hour = \"8\" }", "up-to = \"1 h\"",
        ]
        for text in texts {
            let all = found("then = \"deny\"\n\(text)", "then = \"hold\"\nmatch = { user = \"x\" }")
            #expect(all.count == 1 && !(all.first ?? "never reached").contains("never reached"), "\(all)")
        }
    }

    /// Whom a rule takes for a time may run when it is over, whatever denies others always.
    @Test func aDenialBehindAnExceptionDoesNotHideWhatBoundsIt() {
        let bound = "then = \"suspend\"\nmatch = { hour = \"18-24\" }"
        #expect(found("then = \"allow\"\nmatch = { hour = \"08-18\" }", "then = \"deny\"", bound).isEmpty)
        #expect(found("then = \"hold\"\nmatch = { user = \"x\", gpus-above = 0 }", "then = \"deny\"", bound).isEmpty)
        #expect(found("then = \"allow\"\nmatch = { user = \"x\" }", "then = \"deny\"", bound).count == 1)
    }

    @Test func aFileThatLeavesManyPartsComesToAnEnd() {
        let many = (0..<300).map { number in
            let names = ["user", "project", "group"].map { "\($0) = \"x\(number)\"" }
            return "then = \"deny\"\nmatch = { \(names.joined(separator: ", ")) }"
        }
        let text = (many + ["then = \"hold\""]).enumerated().map {
            "[[rule]]\nname = \"r\($0.offset)\"\n\($0.element)\n"
        }.joined()
        #expect(problems(text).isEmpty)
    }
}
