import ConfigFile
import Testing
import Units

@testable import Policy

/// What the policy language says about what cannot be meant.
@Suite struct CheckTests {
    private static let series =
        "[carbon]\nsource = { file = \"/i.csv\" }\nprice = { file = \"/p.csv\", currency = \"EUR\" }\n"

    private static let impossibleValues: [(String, String)] = [
        // Machine and power.
        (
            "[machine]\npower-cap = 450",
            "p.toml:2: \"machine.power-cap\" is a number without its unit; for example power-cap = \"450 W\""
        ),
        (
            "[machine]\npower-cap = \"450 V\"",
            "p.toml:2: \"machine.power-cap\": \"450 V\" is not a power in mW, W or kW"
        ),
        ("[machine]\npower-cap = \"0 W\"", "p.toml:2: \"machine.power-cap\" is 0 W; it must be above 0 W"),
        ("[machine]\npower-cap = \"-5 W\"", "p.toml:2: \"machine.power-cap\" is -5 W"),
        ("[machine]\npower-cap = [1]", "p.toml:2: \"machine.power-cap\" must be a text in quotes"),
        ("[machine]\nidle-power = \"observd\"", "p.toml:2: \"machine.idle-power\": \"observd\" is not a power"),
        (
            "[machine]\nidle-power = 40",
            "p.toml:2: \"machine.idle-power\" is a number without its unit; for example idle-power = \"450 W\", or \"observed\""
        ),
        (
            "[machine]\npower-cap = \"60 W\"\nidle-power = \"60 W\"",
            "p.toml:2: \"machine.power-cap\" is 60 W, not above machine.idle-power = 60 W; raise the cap, or lower the other (p.toml:3)"
        ),
        (
            "[machine]\npower-cap = \"60 W\"\npower-limit-floor = { gpu = \"100 W\" }",
            "p.toml:2: \"machine.power-cap\" is 60 W, not above machine.power-limit-floor.gpu = 100 W"
        ),
        ("[machine]\npower-limit-floor = \"60 W\"", "p.toml:2: \"machine.power-limit-floor\" must be a table"),
        ("[machine]\ngpu-share = \"mem\"", "p.toml:2: \"machine.gpu-share\" is \"mem\"; it must be one of off, memory"),
        // Carbon.
        (
            "[carbon]\nsource = \"tabel\"",
            "p.toml:2: \"carbon.source\" is \"tabel\"; it must be \"table\", a file or a service"
        ),
        ("[carbon]\nsource = 5", "p.toml:2: \"carbon.source\" must be \"table\" or a table"),
        ("[carbon]\nsource = {}", "p.toml:2: \"carbon.source\" has neither a file nor a url"),
        (
            "[carbon]\nsource = { file = \"/a\", url = \"http://b/\" }",
            "p.toml:2: \"carbon.source\" has both a file and a url"
        ),
        (
            "[carbon]\nsource = { file = \"a.csv\" }",
            "p.toml:2: \"carbon.source.file\" has \"a.csv\", which is not the absolute path of a file"
        ),
        ("[carbon]\nsource = { url = \"http://a/\" }", "p.toml:2: \"format\" is missing in [carbon.source]"),
        (
            "[carbon]\nsource = { url = \"ftp://a/\", format = \"electricity-maps\" }",
            "p.toml:2: \"carbon.source.url\" is \"ftp://a/\", which is not the address of a service"
        ),
        (
            "[carbon]\nsource = { url = \"http:///x\", format = \"electricity-maps\" }",
            "p.toml:2: \"carbon.source.url\" is \"http:///x\", which names no host"
        ),
        (
            "[carbon]\nsource = { url = \"http://u:p@a/\", format = \"electricity-maps\" }",
            "p.toml:2: \"carbon.source.url\" has a name or password in it"
        ),
        (
            "[carbon]\nsource = { url = \"http://a/\", format = \"electricity-map\", zone = \"DE\" }",
            "p.toml:2: \"carbon.source.format\" is \"electricity-map\"; it must be one of electricity-maps, uk-carbon-intensity; did you mean \"electricity-maps\"?"
        ),
        (
            "[carbon]\nsource = { url = \"http://a/\", format = \"electricity-maps\" }",
            "p.toml:2: carbon.source asks a service that needs a zone"
        ),
        (
            "[carbon]\nsource = { url = \"http://a/\", format = \"electricity-maps\", zone = \"de\" }",
            "p.toml:2: \"carbon.source.zone\" is \"de\"; it must be a zone in capitals"
        ),
        ("[carbon]\nrefresh = \"3 h\"", "p.toml:2: carbon.refresh is 3 h, longer than carbon.stale-after (2 h)"),
        ("[carbon]\nrefresh = \"1 s\"", "p.toml:2: \"carbon.refresh\" is 1 s; it must be from 1 min to 1 d"),
        (
            "[carbon]\nprice = 0.32",
            "p.toml:2: \"carbon.price\" is a number without its unit; for example price = \"0.32 EUR/kWh\""
        ),
        (
            "[carbon]\nprice = \"0 EUR/kWh\"",
            "p.toml:2: \"carbon.price\" is 0 EUR/kWh; a constant price must be above 0"
        ),
        ("[carbon]\nprice = { file = \"/p.csv\" }", "p.toml:2: \"currency\" is missing in [carbon.price]"),
        (
            "[carbon]\nprice = { file = \"/p.csv\", currency = \"euro\" }",
            "p.toml:2: \"carbon.price.currency\" is \"euro\"; it must be three capitals"
        ),
        // Fair share.
        (
            "[fair-share]\nhalf-life = \"0 s\"",
            "p.toml:2: \"fair-share.half-life\" is 0 s; it must be from 1 h to 365 d"
        ),
        (
            "[fair-share]\nby = \"joules\"",
            "p.toml:2: \"fair-share.by\" is \"joules\"; it must be one of energy, cpu-time, carbon"
        ),
        ("[fair-share]\nstrength = 10001", "p.toml:2: \"fair-share.strength\" is 10001; it must be from 0 to 10000"),
        (
            "[fair-share]\nstrength = 1\nweights = { a = 0 }",
            "p.toml:3: \"fair-share.weights.a\" is 0.0; it must be between"
        ),
        (
            "[fair-share]\nstrength = 1\nweights = { \"a b\" = 1 }",
            "p.toml:3: \"a b\" in [fair-share.weights] is not the name"
        ),
        // Queues.
        (
            "[queue.a]\ndefault = true\ndefer = { up-to = \"2 y\" }",
            "p.toml:3: \"queue.a.defer.up-to\" is 730 d 12 h; it must be from 0 s to 365 d"
        ),
        ("[queue.a]\ndefault = true\ndefer = \"24 h\"", "p.toml:3: \"queue.a.defer\" must be a table"),
        (
            "[queue.a]\ndefault = true\ndefer = { upto = \"24 h\" }",
            "p.toml:3: unknown key \"upto\" in [queue.a.defer]; did you mean \"up-to\"?"
        ),
        (
            "[queue.a]\ndefault = true\ndefer = { suspend-above = \"400\" }",
            "p.toml:3: \"queue.a.defer.suspend-above\": \"400\" is not an intensity such as \"400 g/kWh\" or a price"
        ),
        (
            "[queue.a]\ndefault = true\ndefer = { resume-below = \"400 g/kWh\" }",
            "p.toml:3: \"queue.a.defer.resume-below\" needs suspend-above"
        ),
        (
            "[queue.a]\ndefault = true\npreempts = [\"b\"]\n[queue.b]\ninterruptible = false",
            "p.toml:3: \"queue.a.preempts\" has \"b\", none of whose jobs may be stopped: interruptible = false (p.toml:5)"
        ),
        ("[queue.a]\ndefault = true\npreempts = [\"a\"]", "p.toml:3: \"queue.a.preempts\" has the queue itself"),
        (
            "[queue.batch]\ndefault = true\npreempts = [\"bacth\"]",
            "p.toml:3: \"queue.batch.preempts\" has \"bacth\", which does not exist; did you mean \"batch\"?"
        ),
        (
            "[queue.a]\ndefault = true\npreempts = [\"b\"]\n[queue.b]\npriority = 5",
            "p.toml:3: \"queue.a.preempts\" has \"b\", whose priority 5 (p.toml:5) is higher than 0 (built in)"
        ),
        (
            "[queue.a]\ndefault = true\npreempts = [\"b\"]\n[queue.b]\npreempts = [\"c\"]\n[queue.c]\npreempts = [\"b\"]",
            "p.toml:5: queues preempt each other in a circle: \"b\" -> \"c\" -> \"b\""
        ),
        (
            "[machine]\npower-limit-floor = { cpu = \"50 W\" }\n[queue.a]\ndefault = true\npower-limit = \"40 W\"",
            "p.toml:5: \"queue.a.power-limit\" is 40 W, below machine.power-limit-floor.cpu = 50 W"
        ),
        (
            "[queue.a]\ndefault = true\npower-limit = \"from-histori\"",
            "p.toml:3: \"queue.a.power-limit\": \"from-histori\" is not a power"
        ),
        // Limits.
        ("[limits]\nmax-cpus-per-user = 0", "p.toml:2: \"limits.max-cpus-per-user\" is 0"),
        (
            "[limits]\nmax-cpu-per-user = 1",
            "p.toml:2: unknown key \"max-cpu-per-user\" in [limits]; did you mean \"max-cpus-per-user\"?"
        ),
        // Reservations.
        ("[reservation.a]\nhour = \"08-12\"\nuser = \"b\"", "p.toml:1: [reservation.a] keeps nothing"),
        ("[reservation.a]\nhour = \"08-12\"\ncpus = 1", "p.toml:1: [reservation.a] is for nobody, or for everybody"),
        ("[reservation.a]\nuser = \"b\"\ncpus = 1", "p.toml:1: [reservation.a] has no time"),
        (
            "[reservation.a]\nstart = \"2026-11-25\"\nend = \"2026-11-24\"\nuser = \"b\"\ncpus = 1",
            "p.toml:3: [reservation.a] ends at 2026-11-24T00:00:00Z, which is not after its start (p.toml:2)"
        ),
        (
            "[reservation.a]\nstart = \"2026-11-25\"\nuser = \"b\"\ncpus = 1",
            "p.toml:2: [reservation.a] has a start but no end"
        ),
        (
            "[reservation.a]\nend = \"2026-11-25\"\nuser = \"b\"\ncpus = 1",
            "p.toml:2: [reservation.a] has an end but no start"
        ),
        (
            "[reservation.a]\nstart = \"2026-11-24\"\nend = \"2026-11-25\"\nhour = \"08-12\"\nuser = \"b\"\ncpus = 1",
            "p.toml:4: [reservation.a] has both a start or end and hours that recur"
        ),
        ("[reservation.a]\nhour = \"8\"\nuser = \"b\"\ncpus = 1", "p.toml:2: \"reservation.a.hour\" is \"8\""),
        // Budgets.
        ("[budget.a]\n", "p.toml:1: budget \"a\" limits nothing"),
        ("[budget.a]\nenergy = \"0 kWh/month\"", "p.toml:2: \"budget.a.energy\" is 0 J/month, a budget of nothing"),
        (
            "[budget.a]\nenergy = \"50 kWh\"",
            "p.toml:2: \"budget.a.energy\": \"50 kWh\" is not an amount per day, week, month, year"
        ),
        ("[budget.a]\nenergy = \"50 kg/month\"", "p.toml:2: \"budget.a.energy\": \"50 kg\" is not an energy"),
        ("[budget.a]\nmoney = \"5 EUR/day\"", "p.toml:2: budget \"a\" is in money, but nothing says what energy costs"),
        (
            "[budget.a]\nmoney = \"5 EUR/day\"\n[carbon]\nprice = \"1 USD/kWh\"",
            "p.toml:2: budget \"a\" is in EUR, but carbon.price is in USD (p.toml:4)"
        ),
        ("[budget.a]\nenergy = \"5 kWh/day\"\nwarn-at = 0", "p.toml:3: \"budget.a.warn-at\" is 0.0"),
        (
            "[budget.a]\nenergy = \"5 kWh/day\"\nwhen-spent = \"kill\"",
            "p.toml:3: \"budget.a.when-spent\" is \"kill\"; it must be one of hold, warn, preempt"
        ),
        // Access.
        ("[access]\nadmins = [\"*\"]", "p.toml:2: \"access.admins\" has \"*\", which would make everybody an admin"),
        ("[access]\nsubmit = [\"@\"]", "p.toml:2: \"access.submit\" has \"@\""),
        ("[access]\nsee-other = []", "p.toml:2: unknown key \"see-other\" in [access]; did you mean \"see-others\"?"),
    ]

    @Test(arguments: impossibleValues)
    func impossible(text: String, message: String) {
        let found = problems(text + "\n")
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.hasPrefix(message) ?? false, "\(found)")
        #expect(found.first?.contains("; ") ?? false || !message.contains("is missing"), "no suggestion: \(found)")
    }

    private static func rule(_ lines: String) -> String { "[[rule]]\nname = \"r\"\n" + lines + "\n" }

    private static let contradictory: [(String, String)] = [
        (rule("then = \"defer\""), "p.toml:3: a rule that defers needs \"up-to\" or \"until\""),
        (
            rule("then = \"defer\"\nup-to = \"1 h\"\nuntil = \"22:00\""),
            "p.toml:5: a rule that defers needs \"up-to\" or \"until\", not both"
        ),
        (rule("then = \"defer\"\nup-to = \"2 y\""), "p.toml:4: \"rule.up-to\" is 730 d 12 h"),
        (rule("then = \"defer\"\nup-to = \"0 s\""), "p.toml:4: \"rule.up-to\" is 0 s; it must be from 1 min to 365 d"),
        (
            rule("then = \"defer\"\nuntil = \"25:00\""),
            "p.toml:4: \"rule.until\" is \"25:00\"; it must be a time of day in UTC"
        ),
        (rule("then = \"cap\""), "p.toml:3: a rule that caps needs \"power\" or \"cpus\""),
        (rule("then = \"cap\"\ncpus = 0"), "p.toml:4: \"rule.cpus\" is 0"),
        (
            "[machine]\npower-limit-floor = { cpu = \"50 W\" }\n" + rule("then = \"cap\"\npower = \"40 W\""),
            "p.toml:3: rule \"r\" caps at 40 W, below machine.power-limit-floor.cpu = 50 W"
        ),
        (
            rule("then = \"deny\"\nmatch = { intensity-above = 300 }"),
            "p.toml:4: \"rule.match.intensity-above\" is a number without its unit; for example intensity-above = \"300 g/kWh\""
        ),
        (rule("then = \"deny\"\nmatch = { power-above = \"-1 W\" }"), "p.toml:4: \"rule.match.power-above\" is -1 W"),
        (
            rule("then = \"deny\"\nmatch = { price-above = \"1 USD/kWh\" }") + series,
            "p.toml:1: rule \"r\" compares with a price in USD, but carbon.price is in EUR"
        ),
        (
            "[queue.a]\ndefault = true\ninterruptible = false\n"
                + rule("then = \"suspend\"\nmatch = { power-above = \"1 kW\" }"),
            "p.toml:4: rule \"r\" suspends jobs, but no queue it matches has jobs that may be interrupted"
        ),
        (
            series + "[queue.a]\ndefault = true\ninterruptible = false\ndefer = { suspend-above = \"400 g/kWh\" }",
            "p.toml:7: \"queue.a.defer.suspend-above\" contradicts interruptible = false (p.toml:6)"
        ),
        (
            series
                + "[queue.a]\ndefault = true\ndefer = { suspend-above = \"400 g/kWh\", resume-below = \"401 g/kWh\" }",
            "p.toml:6: \"queue.a.defer.resume-below\" is 401 g/kWh, which is not below suspend-above = 400 g/kWh"
        ),
        (
            series
                + "[queue.a]\ndefault = true\ndefer = { suspend-above = \"400 g/kWh\", resume-below = \"1 EUR/kWh\" }",
            "p.toml:6: \"queue.a.defer.resume-below\" is 1 EUR/kWh"
        ),
        (
            series + "[queue.a]\ndefault = true\ndefer = { suspend-above = \"1 USD/kWh\" }",
            "p.toml:6: \"queue.a.defer.suspend-above\" is in USD, but carbon.price is in EUR"
        ),
    ]

    @Test(arguments: contradictory)
    func contradictions(text: String, message: String) {
        let found = problems(text)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.hasPrefix(message) ?? false, "\(found)")
    }

    private static let warnedOf: [(String, String)] = [
        (
            rule("then = \"hold\"\nmatch = { intensity-above = \"300 g/kWh\" }"),
            "p.toml:1: rule \"r\" has a threshold of intensity, but carbon.source = \"table\" never changes"
        ),
        (
            rule("then = \"hold\"\nmatch = { price-above = \"1 EUR/kWh\" }"),
            "p.toml:1: rule \"r\" has a threshold of price, but nothing says what energy costs"
        ),
        (
            rule("then = \"hold\"\nmatch = { price-above = \"1 EUR/kWh\" }") + "[carbon]\nprice = \"0.3 EUR/kWh\"\n",
            "p.toml:1: rule \"r\" has a threshold of price, but carbon.price is always 0.3 EUR/kWh"
        ),
        (
            rule("then = \"hold\"\nmatch = { power-above = \"1 kW\" }") + "[machine]\npower-cap = \"900 W\"\n",
            "p.toml:1: rule \"r\" waits for more than 1000 W, but machine.power-cap is 900 W"
        ),
        (
            rule("then = \"cap\"\npower = \"1 kW\"") + "[machine]\npower-cap = \"900 W\"\n",
            "p.toml:1: rule \"r\" caps each job at 1000 W, which machine.power-cap = 900 W does anyway"
        ),
        (
            "[queue.a]\ndefault = true\ndefer = { up-to = \"1 h\" }\n",
            "p.toml:3: \"queue.a.defer\" looks for the lowest intensity, but carbon.source = \"table\" never changes"
        ),
        (
            "[queue.a]\ndefault = true\ndefer = { up-to = \"1 h\", minimise = \"cost\" }\n",
            "p.toml:3: \"queue.a.defer\" looks for the lowest price, but carbon.price does not change"
        ),
        (
            "[queue.a]\ndefault = true\ndefer = { minimise = \"cost\" }\n",
            "p.toml:3: \"queue.a.defer.minimise\" has no effect without up-to"
        ),
        (
            "[queue.a]\ndefault = true\ndefer = { suspend-above = \"400 g/kWh\" }\n",
            "p.toml:3: \"queue.a.defer.suspend-above\" has a threshold of intensity, but carbon.source"
        ),
        (
            series + "[queue.a]\ndefault = true\ndefer = { up-to = \"1 h\" }\npreempts = [\"b\"]\n[queue.b]\n",
            "p.toml:6: queue \"a\" preempts others (p.toml:7), but its jobs may be deferred"
        ),
        (
            "[queue.a]\ndefault = true\ngpu-share = true\n",
            "p.toml:3: \"queue.a.gpu-share\" has no effect: machine.gpu-share is \"off\" (built in)"
        ),
        (
            "[queue.a]\ndefault = true\nmax-cpus-per-job = 8\n[limits]\nmax-cpus-per-user = 4\n",
            "p.toml:3: \"queue.a.max-cpus-per-job\" is 8, but limits.max-cpus-per-user is 4 (p.toml:5)"
        ),
        (
            "[machine]\npower-cap = \"100 W\"\n[queue.a]\ndefault = true\npower-limit = \"100 W\"\n",
            "p.toml:5: \"queue.a.power-limit\" is 100 W, which machine.power-cap = 100 W does anyway"
        ),
        ("[fair-share]\nby = \"carbon\"\n", "p.toml:2: [fair-share] has no effect: its strength is 0 (built in)"),
        ("[fair-share]\nweights = { a = 2 }\n", "p.toml:2: [fair-share] has no effect"),
        (
            "[budget.a]\nenergy = \"1 kWh/day\"\n[[rule]]\nname = \"r\"\nthen = \"deny\"\nmatch = { project = [\"a\", \"b\"] }\n",
            "p.toml:1: budget \"a\" is for project \"a\", of which no job is ever taken: rule \"r\" (p.toml:3) denies it"
        ),
        // A project that only several denials together close, or one that looks as if it left something.
        (
            closed("{ queue = [\"interactive\", \"batch\", \"long\"] }"),
            "p.toml:1: budget \"a\" is for project \"a\", of which no job is ever taken: rule \"r0\" (p.toml:3) denies it"
        ),
        (closed("{ cpus-above = 0 }"), "p.toml:1: budget \"a\" is for project \"a\", of which no job is ever taken"),
        (
            closed("{ hour = \"08-18\", project = \"a\" }", "{ hour = \"18-08\", project = \"a\" }"),
            "p.toml:1: budget \"a\" is for project \"a\", of which no job is ever taken: rules \"r0\" (p.toml:3) and \"r1\" (p.toml:7) deny it"
        ),
        // Sizes that are refused before any rule is asked.
        (
            "[queue.a]\ndefault = true\nmax-cpus-per-job = 8\n" + rule("then = \"hold\"\nmatch = { cpus-above = 8 }"),
            "p.toml:4: rule \"r\" is for jobs of more than 8 cpus, but none may have more than 8 (queue.a.max-cpus-per-job, p.toml:3)"
        ),
        (
            "[sandbox.default]\nmax-cpus = 4\n" + rule("then = \"hold\"\nmatch = { cpus-above = 6 }"),
            "p.toml:3: rule \"r\" is for jobs of more than 6 cpus, but none may have more than 4 (sandbox.default.max-cpus, p.toml:2)"
        ),
        (
            "[sandbox.default]\nmax-memory = \"4 GiB\"\n"
                + rule("then = \"hold\"\nmatch = { memory-above = \"4 GiB\" }"),
            "p.toml:3: rule \"r\" is for jobs of more than 4 GiB of memory, but none may have more than 4 GiB (sandbox.default.max-memory"
        ),
        (
            "[limits]\nmax-gpus-per-user = 2\n" + rule("then = \"hold\"\nmatch = { gpus-above = 2 }"),
            "p.toml:3: rule \"r\" is for jobs of more than 2 gpus, but none may have more than 2 (limits.max-gpus-per-user, p.toml:2)"
        ),
        (
            "[site]\nzone = \"DE\"\n[carbon]\nsource = { url = \"http://a/\", format = \"uk-carbon-intensity\" }\n",
            "p.toml:4: carbon.source is the intensity of Great Britain, but site.zone is \"DE\""
        ),
        (
            "[carbon]\nsource = { url = \"http://a/x?zone=DE&api_key=12\", format = \"uk-carbon-intensity\" }\n",
            "p.toml:2: carbon.source seems to have a token in its url, which every user can read"
        ),
        (
            "[carbon]\nsource = { url = \"http://localhost.example.org/\", format = \"electricity-maps\", zone = \"DE\", token-file = \"/t\" }\n",
            "p.toml:2: carbon.source sends its token unencrypted"
        ),
    ]

    /// What can be taken, but will not do what it seems to, stops no load.
    @Test(arguments: warnedOf)
    func warned(text: String, message: String) throws {
        #expect(problems(text).isEmpty, "\(problems(text))")
        let found = warnings(text)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.hasPrefix(message) ?? false, "\(found)")
        #expect(try policy(text).warnings.allSatisfy { $0.hint != nil })
    }

    /// A budget of project "a", and denials.
    private static func closed(_ denials: String...) -> String {
        "[budget.a]\nenergy = \"1 kWh/day\"\n"
            + denials.enumerated().map {
                "[[rule]]\nname = \"r\($0.offset)\"\nthen = \"deny\"\nmatch = \($0.element)\n"
            }.joined()
    }

    private static let fine: [String] = [
        closed("{ queue = [\"interactive\", \"batch\"] }"), closed("{ cpus-above = 1 }"),
        closed("{ hour = \"08-17\" }", "{ hour = \"18-08\" }"),
        "[queue.a]\ndefault = true\nmax-cpus-per-job = 8\n[queue.b]\n"
            + rule("then = \"hold\"\nmatch = { cpus-above = 8 }"),
        "[queue.a]\ndefault = true\nmax-cpus-per-job = 8\n" + rule("then = \"hold\"\nmatch = { cpus-above = 7 }"),
        "[budget.a]\nenergy = \"1 kWh/day\"\n[[rule]]\nname = \"x\"\nthen = \"allow\"\nmatch = { user = \"u\" }\n[[rule]]\nname = \"r\"\nthen = \"deny\"\nmatch = { project = \"a\" }\n",
        "[budget.a]\nenergy = \"1 kWh/day\"\n[[rule]]\nname = \"r\"\nthen = \"deny\"\nmatch = { project = \"a\", hour = \"01-02\" }\n",
        "[budget.a]\nenergy = \"1 kWh/day\"\nuser = \"u\"\n[[rule]]\nname = \"r\"\nthen = \"deny\"\nmatch = { project = \"a\" }\n",
        "[carbon]\nsource = { url = \"http://127.0.0.1:80/\", format = \"electricity-maps\", zone = \"DE\", token-file = \"/t\" }\n",
        "[fair-share]\nstrength = 10\nby = \"carbon\"\n",
        "[queue.a]\ndefault = true\npreempts = [\"b\", \"c\"]\n[queue.b]\npreempts = [\"c\"]\n[queue.c]\n",
        series + rule("then = \"hold\"\nmatch = { intensity-above = \"300 g/kWh\", price-above = \"0.1 EUR/kWh\" }"),
    ]

    @Test(arguments: fine)
    func nothingToSay(text: String) {
        #expect(warnings(text).isEmpty, "\(warnings(text))")
    }

    /// Rules that bound running jobs and those that decide hide each other only where nothing is left for the later one.
    @Test(arguments: [
        ("allow", "suspend", true), ("allow", "cap\"\ncpus = \"", true), ("deny", "suspend", true),
        ("hold", "suspend", false),
        ("suspend", "suspend", true), ("suspend", "deny", false), ("suspend", "allow", false), ("hold", "deny", true),
        ("deny", "allow", true),
    ])
    func whatHidesWhat(first: String, second: String, isHidden: Bool) {
        let then = second.hasPrefix("cap") ? "then = \"cap\"\ncpus = 2" : "then = \"\(second)\""
        let text =
            "[[rule]]\nname = \"a\"\nthen = \"\(first)\"\n[[rule]]\nname = \"b\"\n\(then)\nmatch = { user = \"x\" }\n"
        #expect(problems(text).contains { $0.contains("rule \"b\" is never reached") } == isHidden, "\(problems(text))")
    }

    @Test func whatHidesWhatInSomeHours() {
        func hidden(_ first: String, _ rest: String) -> Int {
            problems("[[rule]]\nname = \"a\"\n\(first)\n[[rule]]\nname = \"b\"\n\(rest)\n").count
        }
        // Jobs denied by day run at night, and are capped by day; who is allowed behind a denial is spared from the cap.
        #expect(
            hidden(
                "then = \"deny\"\nmatch = { hour = \"08-18\" }",
                "then = \"cap\"\ncpus = 2\nmatch = { hour = \"09-12\" }") == 0)
        let allow = "then = \"allow\"\nmatch = { user = \"x\", hour = \"08-18\" }\n"
        #expect(hidden("then = \"deny\"\nmatch = { hour = \"08-18\" }", allow) == 1)
        #expect(
            hidden(
                "then = \"deny\"\nmatch = { hour = \"08-18\" }",
                allow + "[[rule]]\nname = \"c\"\nthen = \"cap\"\ncpus = 1\n") == 0)
        // Caps.
        #expect(hidden("then = \"cap\"\ncpus = 2", "then = \"cap\"\ncpus = 3\nmatch = { user = \"x\" }") == 1)
        #expect(hidden("then = \"cap\"\ncpus = 2", "then = \"cap\"\ncpus = 1\nmatch = { user = \"x\" }") == 0)
        #expect(hidden("then = \"cap\"\ncpus = 2", "then = \"cap\"\npower = \"99 W\"\nmatch = { user = \"x\" }") == 0)
    }

    /// A machine of which nobody says how much memory it has is not told of in PiB.
    @Test func anUnknownMemoryIsLeftOutOfRefusals() {
        let machine = MachineCapacity(cpus: 4, memory: MachineCapacity.unknownMemory, gpus: 0)
        let asked = PolicySet.builtIn.admit(job(cpus: 8), by: alice, machine: machine, queuedByUser: 0, now: tuesday)
        #expect(asked.refusal?.message == "asks for 8 cpus; the largest job here is 4 cpus")
        #expect(asked.refusal?.hint == "ask for at most 4 cpus")
    }

    @Test func limitsAtSubmission() throws {
        let set = try policy("[limits]\nmax-cpus-per-user = 3\nmax-gpus-per-project = 1\nmax-queued-per-project = 5\n")
        #expect(set.ask(job(cpus: 3)).job != nil)
        let wide = try #require(set.ask(job(cpus: 4)).refusal)
        #expect(wide.message == "asks for 4 cpus; limits.max-cpus-per-user is 3 (p.toml:2)")
        #expect(wide.hint == "ask for cpus = 3 or less" && wide.rule?.line == 2)
        #expect(set.ask(job(gpus: 1)).job != nil)
        #expect(set.ask(job(), inProject: 4).job != nil)
        let full = try #require(set.ask(job(), inProject: 5).refusal)
        #expect(full.message == "project \"default\" has 5 jobs queued; limits.max-queued-per-project is 5 (p.toml:4)")
        #expect(set.limits.maxGpusPerProject.place == "p.toml:3")
    }

    @Test func fairShare() throws {
        let first = "[fair-share]\nstrength = 50\naccounts = \"projects\"\nweights = { a = 2, b = 0.5 }\n"
        let set = try PolicySet.load(files: [("1", first), ("2", "[fair-share.weights]\nb = 3\nc = 4\n")])
        #expect(set.fairShare.isOn && set.fairShare.halfLife.value == .seconds(7 * 86_400))
        #expect(["a", "b", "c", "d"].map(set.fairShare.weight(of:)) == [2, 3, 4, 1])
        #expect(set.fairShare.weights.map(\.weight.place) == ["1:4", "2:2", "2:3"])
        #expect(set.fairShare.account(user: "u", project: "p") == "p")
        #expect(PolicySet.builtIn.fairShare.account(user: "u", project: "p") == "u")
        #expect(!PolicySet.builtIn.fairShare.isOn)
    }

    @Test func encryptedServicesNeedAProxy() {
        let found = problems(
            "[site]\nzone = \"DE\"\n[carbon]\nsource = { url = \"https://a/\", format = \"electricity-maps\" }\n")
        #expect(found.count == 1)
        #expect(
            found.first?.hasPrefix(
                "p.toml:4: \"carbon.source.url\" begins with https://, which mld does not speak") == true, "\(found)")
        #expect(found.first?.contains("let a proxy on this machine speak it") == true)
    }

    @Test func sources() throws {
        let set = try PolicySet.load(files: [
            (
                "1",
                "[carbon]\nsource = { url = \"http://a:80/x\", format = \"uk-carbon-intensity\", token-file = \"/t\" }\n"
            ),
            ("2", "[carbon]\nprice = \"320 EUR/MWh\"\n"),
        ])
        #expect(
            set.carbon.source.value
                == .service(.init(url: "http://a:80/x", format: .ukCarbonIntensity, zone: nil, tokenFile: "/t")))
        #expect(set.carbon.price.value == .constant(.init(perKilowattHour: 0.32, currency: "EUR")))
        let later = try PolicySet.load(files: [
            ("1", "[carbon]\nsource = { file = \"/a\" }\n"), ("2", "[carbon]\nsource = \"table\"\n"),
        ])
        #expect(later.carbon.source.value == .table && later.carbon.source.place == "2:2")
    }
}
