import ConfigFile
import Testing
import Units

@testable import Policy

@Suite struct LoadTests {
    @Test func settingsKnowTheirLine() throws {
        let set = try policy("[machine]\nreserve-cpus = 2\n[queue.a]\ndefault = true\nmax-time = \"2 h\"\n")
        #expect(set.machine.reserveCpus.value == 2)
        #expect(set.machine.reserveCpus.place == "p.toml:2")
        #expect(set.machine.reserveMemory.place == "built in")
        #expect(set.queues.map(\.name) == ["a"])
        #expect(set.queues[0].maxTime.value == .seconds(7200))
        #expect(set.queues[0].maxTime.source == RuleReference(file: "p.toml", line: 5, name: "queue.a.max-time"))
        #expect(set.files == ["p.toml"])
    }

    @Test func nothingIsTheBuiltIn() throws {
        var empty = try PolicySet.load(files: [])
        #expect(empty == PolicySet.builtIn)
        empty = try policy("")
        #expect(empty.queues == PolicySet.builtIn.queues)
        #expect(empty.hash != PolicySet.builtIn.hash)
    }

    @Test func laterFilesWinKeyByKey() throws {
        let first =
            "[queue.a]\npriority = 1\nmax-time = \"1 h\"\ndefault = true\n[queue.b]\n[limits]\nmax-queued-per-user = 5"
        let second = "[queue.a]\npriority = 2\n[queue.b]\ndefault = true\n"
        // Given in the wrong order, and in directories whose names sort the other way.
        let set = try PolicySet.load(files: [("a/20.toml", second), ("b/10.toml", first)])
        #expect(set.files == ["b/10.toml", "a/20.toml"])
        let a = try #require(set.queue("a"))
        #expect(a.priority == Setting(2, source: RuleReference(file: "a/20.toml", line: 2, name: "queue.a.priority")))
        #expect(a.maxTime.place == "b/10.toml:3")
        #expect(!a.isDefault.value)
        #expect(set.defaultQueue?.name == "b")
        #expect(set.limits.maxQueuedPerUser.value == 5)
    }

    @Test func aRepeatedRuleTakesTheEarliersPlace() throws {
        let first = """
            [[rule]]
            name = "x"
            match = { user = "alice" }
            then = "deny"
            [[rule]]
            name = "y"
            match = { user = "bob" }
            then = "deny"
            """
        let second = """
            [[rule]]
            name = "z"
            match = { user = "carol" }
            then = "hold"
            [[rule]]
            name = "x"
            match = { user = "dora" }
            then = "hold"
            """
        let set = try PolicySet.load(files: [("1.toml", first), ("2.toml", second)])
        #expect(set.rules.map(\.name) == ["x", "y", "z"])
        #expect(set.rules[0].match.users == ["dora"])
        #expect(set.rules[0].reference.place == "2.toml:5")
    }

    @Test func allProblemsOfAllFilesAtOnce() {
        let found = PolicyCheck.check(files: [
            ("b.toml", "[site]\npue = 0.5\n"), ("a.toml", "[machine]\nreserve-cpu = 1\n"), ("c.toml", "[machine\n"),
        ]).map(\.description)
        #expect(found.count == 3)
        #expect(found[0] == "a.toml:2: unknown key \"reserve-cpu\" in [machine]; did you mean \"reserve-cpus\"?")
        #expect(found[1].hasPrefix("b.toml:2: \"site.pue\" is 0.5"))
        #expect(found[2].hasPrefix("c.toml:1: "))
    }

    @Test func checkAndLoadNeverDiffer() {
        #expect(PolicyCheck.check(files: []).isEmpty)
        #expect(throws: ConfigProblems.self) { try policy("[queue.a]\n") }
        #expect(problems("[queue.a]\n").count == 1)
    }

    @Test func theSameFileTwice() {
        #expect(
            PolicyCheck.check(files: [("a.toml", ""), ("a.toml", "")]).map(\.message) == [
                "this policy file is given twice"
            ])
    }

    /// What has no effect must not look as if it had one.
    @Test(arguments: [
        "[[rule]]\nname = \"a\"\nthen = \"deny\"\nup-to = \"1 h\"",
        "[[rule]]\nname = \"a\"\nthen = \"hold\"\nuntil = \"22:00\"",
        "[[rule]]\nname = \"a\"\nthen = \"suspend\"\npower = \"100 W\"",
        "[[rule]]\nname = \"a\"\nthen = \"defer\"\nup-to = \"1 h\"\ncpus = 4",
        "[[rule]]\nname = \"a\"\nthen = \"defer\"\nuntil = \"22:00\"\nminimise = \"cost\"",
        "[carbon]\nsource = { file = \"/a\", zone = \"DE\" }",
        "[[rule]]\nname = \"a\"\nthen = \"allow\"\nmessage = \"hello\"", "top = 1", "[sandbox.spare]\nnetwork = true",
    ])
    func whatHasNoEffectIsRefused(text: String) {
        #expect(problems(text).count == 1, "\(problems(text))")
    }

    @Test(arguments: [
        ("[machine]\nreserve-cpus = -1", "p.toml:2: \"machine.reserve-cpus\" is -1; it must be from 0 to 100000"),
        ("[machine]\nreserve-memory = 5", "p.toml:2: \"machine.reserve-memory\" must be a string in quotes"),
        (
            "[machine]\nreserve-memory = \"5 parsecs\"",
            "p.toml:2: \"machine.reserve-memory\": \"5 parsecs\" is not a size"
        ),
        ("[site]\nzone = \"germany\"", "p.toml:2: \"site.zone\" is \"germany\""),
        ("[site]\npue = nan", "p.toml:2: \"site.pue\" is nan"),
        ("[queue.a]\ndefault = true\nmax-time = \"0 s\"", "p.toml:3: \"queue.a.max-time\" must be at least 1 s"),
        ("[queue.a]\ndefault = true\npriority = 2000", "p.toml:3: \"queue.a.priority\" is 2000"),
        (
            "[queue.a]\ndefault = true\n[queue.b]\ndefault = true",
            "p.toml:4: queue \"b\" is a second default queue; \"a\" is one already (line 2)"
        ),
        ("[queue.\"a b\"]\ndefault = true", "p.toml:1: \"a b\" is not a name"),
        ("[queue.a]\ndefault = false", "p.toml:1: no queue has default = true"),
        (
            "[queue.a]\ndefault = true\nsandbox = \"defualt\"",
            "p.toml:3: there is no [sandbox.defualt]; did you mean \"default\"?"
        ),
        ("[limits]\nmax-running-per-user = 0", "p.toml:2: \"limits.max-running-per-user\" is 0"),
        (
            "[sandbox.default]\nrequire = \"ful\"",
            "p.toml:2: \"sandbox.default.require\" is \"ful\"; it must be one of full, best-effort; did you mean \"full\"?"
        ),
        (
            "[sandbox.default]\nread-only = [\"data\"]",
            "p.toml:2: \"sandbox.default.read-only\" has \"data\", which is not an absolute path"
        ),
        (
            "[sandbox.default]\nread-write = [\"/a/../etc\"]",
            "p.toml:2: \"sandbox.default.read-write\" has \"/a/../etc\""
        ),
        (
            "[sandbox.default]\nread-only = [\"/sys/class/powercap\"]",
            "p.toml:2: \"sandbox.default.read-only\" has \"/sys/class/powercap\", but no job is given anything of /sys"
        ),
        (
            "[sandbox.default]\nmax-file-size = \"0 B\"",
            "p.toml:2: \"sandbox.default.max-file-size\" must be at least 1 MiB"
        ),
        ("[access]\nadmins = [\"a b\"]", "p.toml:2: \"access.admins\" has \"a b\""),
        ("[access]\nadmins = \"alice\"", "p.toml:2: \"access.admins\" must be an array of strings"),
        ("[[rule]]\nthen = \"deny\"", "p.toml:1: \"name\" is missing in [rule]"),
        ("[[rule]]\nname = \"a\"", "p.toml:1: \"then\" is missing in [rule]"),
        ("[rule]\nname = \"a\"\nthen = \"deny\"", "p.toml:1: \"rule\" must be an array of tables, each under [[rule]]"),
        (
            "[[rule]]\nname = \"a\"\nthen = \"denny\"",
            "p.toml:3: \"rule.then\" is \"denny\"; it must be one of allow, deny, hold, defer, suspend, cap; did you mean \"deny\"?"
        ),
        (
            "[[rule]]\nname = \"a\"\nthen = \"deny\"\nmatch = { kind = \"trian\" }",
            "p.toml:4: \"rule.match.kind\" has \"trian\"; it must be one of command, train; did you mean \"train\"?"
        ),
        (
            "[[rule]]\nname = \"a\"\nthen = \"deny\"\nmatch = { user = [] }",
            "p.toml:4: \"rule.match.user\" has no name in it"
        ),
        (
            "[[rule]]\nname = \"a\"\nthen = \"deny\"\nmatch = { queue = \"bacth\" }",
            "p.toml:1: rule \"a\" matches queue \"bacth\", which does not exist; did you mean \"batch\"?"
        ),
        (
            "[[rule]]\nname = \"a\"\nthen = \"deny\"\nmatch = { weekday = \"monday\" }",
            "p.toml:4: \"rule.match.weekday\" has \"monday\""
        ),
    ])
    func impossibleValues(text: String, message: String) {
        let found = problems(text)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.hasPrefix(message) ?? false, "\(found)")
    }

    @Test func aRuleTwiceInOneFile() {
        let rule = "[[rule]]\nname = \"a\"\nmatch = { user = \"x\" }\nthen = \"deny\"\n"
        #expect(
            problems(rule + rule).first
                == "p.toml:6: rule \"a\" is defined twice in this file (first on line 1); give each rule its own name")
    }

    @Test func unreachableRules() {
        func rules(_ first: String, _ second: String) -> [String] {
            problems(
                "[[rule]]\nname = \"first\"\nthen = \"allow\"\n\(first)\n[[rule]]\nname = \"second\"\nthen = \"deny\"\n\(second)\n"
            )
        }
        #expect(
            rules("", "match = { user = \"x\" }").first?.hasPrefix(
                "p.toml:5: rule \"second\" is never reached: \"first\" (p.toml:1) matches every job") ?? false)
        #expect(rules("match = { user = [\"x\", \"y\"] }", "match = { user = \"x\", hour = \"22-06\" }").count == 1)
        #expect(rules("match = { cpus-above = 4 }", "match = { cpus-above = 8 }").count == 1)
        #expect(rules("match = { hour = \"20-08\" }", "match = { hour = \"22-06\" }").count == 1)
        #expect(rules("match = { weekday = \"mon-fri\" }", "match = { weekday = [\"tue\", \"fri\"] }").count == 1)
        // Reachable.
        #expect(rules("match = { user = \"x\" }", "").isEmpty)
        #expect(rules("match = { cpus-above = 8 }", "match = { cpus-above = 4 }").isEmpty)
        #expect(rules("match = { user = \"x\", queue = \"batch\" }", "match = { user = \"x\" }").isEmpty)
        #expect(rules("match = { hour = \"22-06\" }", "match = { hour = \"20-08\" }").isEmpty)
        #expect(rules("match = { group = \"a\" }", "match = { user = \"a\" }").isEmpty)
    }

    @Test func hours() {
        #expect(RuleMatch.hours("22-06") == [22, 23, 0, 1, 2, 3, 4, 5])
        #expect(RuleMatch.hours("9-17") == Set(9..<17))
        #expect(RuleMatch.hours("20-24") == [20, 21, 22, 23])
        for text in [
            "", "22", "22-22", "00-24", "24-06", "22-25", "22:30-06", "-1-5", "+1-5", "1-5-9", "a-b", "022-06",
        ] {
            #expect(RuleMatch.hours(text) == nil, "\(text)")
        }
    }

    @Test func weekdays() {
        #expect(RuleMatch.weekdays("mon-fri") == [0, 1, 2, 3, 4])
        #expect(RuleMatch.weekdays("Sun") == [6])
        #expect(RuleMatch.weekdays("sat-mon") == [5, 6, 0])
        for text in ["", "monday", "mon-", "mon-tue-wed", "mon tue"] {
            #expect(RuleMatch.weekdays(text) == nil, "\(text)")
        }
    }

    @Test func calendar() throws {
        #expect(try at("2026-11-24T10:59:59Z").dayOfWeek == 1)
        #expect(try at("2026-11-24T10:59:59Z").hourOfDay == 10)
        #expect(try at("2026-11-22T23:59:59Z").dayOfWeek == 6)
        #expect(try at("2026-11-23T00:00:00Z").dayOfWeek == 0)
        #expect(try at("1969-12-31T23:00:00Z").hourOfDay == 23)
        #expect(try at("1969-12-31T23:00:00Z").dayOfWeek == 2)
        #expect(try at("1969-12-31T22:30:00Z").nextHour == at("1969-12-31T23:00:00Z"))
        #expect(Timestamp(microseconds: .max).nextHour.microseconds == .max)
        #expect(Timestamp(microseconds: .min).hourOfDay >= 0)
    }
}
