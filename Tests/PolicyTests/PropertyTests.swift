import ConfigFile
import TestSupport
import Testing
import Units

@testable import Policy

/// Random policies, matches and jobs. The seeds are fixed: what fails once fails always.
@Suite struct PropertyTests {
    // MARK: - covers()

    private static let names = ["a", "b", "c"]

    private func some(_ random: inout Seeded) -> Set<String>? {
        if Bool.random(using: &random) { return nil }
        return Set(Self.names.filter { _ in Bool.random(using: &random) })
    }

    private func maybe<T>(_ values: [T], _ random: inout Seeded) -> T? {
        Int.random(in: 0..<3, using: &random) == 0 ? values.randomElement(using: &random) : nil
    }

    private func match(_ random: inout Seeded) -> RuleMatch {
        var match = RuleMatch()
        match.users = some(&random)
        match.groups = some(&random)
        match.projects = maybe([["a"], ["a", "b"]], &random)
        match.queues = maybe([["a"], ["a", "b"]], &random)
        match.kinds = maybe([["train"]], &random)
        match.cpusAbove = maybe([0, 1, 2], &random)
        match.gpusAbove = maybe([0, 1], &random)
        match.memoryAbove = maybe([.zero, gib(1)], &random)
        match.intensityAbove = maybe([100, 200], &random).map { CarbonIntensity(gramsPerKilowattHour: $0) }
        match.priceAbove = maybe([-0.1, 0.1, 0.2], &random).map {
            EnergyPrice(perKilowattHour: $0, currency: Bool.random(using: &random) ? "EUR" : "USD")
        }
        match.powerAbove = maybe([0, 100], &random).map { Power(watts: $0) }
        match.hours = maybe([Set(0..<12), Set(6..<8), Set(0..<24)], &random)
        match.weekdays = maybe([[0], [0, 1], Set(0..<7)], &random)
        return match
    }

    private func subject(_ random: inout Seeded) -> RuleMatch.Subject {
        func pick(_ random: inout Seeded) -> String { Self.names.randomElement(using: &random) ?? "a" }
        let groups = Self.names.filter { _ in Bool.random(using: &random) }
        return RuleMatch.Subject(
            submitter: Submitter(uid: 1, user: pick(&random), groups: groups), project: pick(&random),
            queue: pick(&random), kind: Bool.random(using: &random) ? "train" : "command",
            cpus: .random(in: 0...4, using: &random), gpus: .random(in: 0...2, using: &random),
            memory: gib(.random(in: 0...2, using: &random)))
    }

    private func conditions(_ random: inout Seeded) -> Conditions {
        Conditions(
            intensity: maybe([50, 150, 250, .nan], &random).map { CarbonIntensity(gramsPerKilowattHour: $0) },
            price: maybe([-0.5, 0, 0.15, 0.3], &random).map {
                EnergyPrice(perKilowattHour: $0, currency: Bool.random(using: &random) ? "EUR" : "USD")
            }, power: maybe([0, 50, 150, .infinity], &random).map { Power(watts: $0) })
    }

    /// One condition of another match in the place of this one's.
    private func changed(_ match: RuleMatch, _ random: inout Seeded) -> RuleMatch {
        var changed = match
        let other = self.match(&random)
        switch Int.random(in: 0..<13, using: &random) {
        case 0: changed.users = other.users
        case 1: changed.groups = other.groups
        case 2: changed.projects = other.projects
        case 3: changed.queues = other.queues
        case 4: changed.kinds = other.kinds
        case 5: changed.cpusAbove = other.cpusAbove
        case 6: changed.gpusAbove = other.gpusAbove
        case 7: changed.memoryAbove = other.memoryAbove
        case 8: changed.intensityAbove = other.intensityAbove
        case 9: changed.priceAbove = other.priceAbove
        case 10: changed.powerAbove = other.powerAbove
        case 11: changed.hours = other.hours
        default: changed.weekdays = other.weekdays
        }
        return changed
    }

    /// Whatever the covered match takes, the covering one takes: no rule is called unreachable that is not.
    @Test func coveringIsSound() {
        var random = Seeded(47)
        var (covered, matched, apart) = (0, 0, 0)
        for _ in 0..<1500 {
            let wide = match(&random)
            var narrow = changed(wide, &random)
            if Bool.random(using: &random) { narrow = changed(narrow, &random) }
            let covers = wide.covers(narrow)
            if covers { covered += 1 }
            for _ in 0..<40 {
                let (subject, now) = (subject(&random), conditions(&random))
                let time = tuesday.advanced(by: .seconds(3600 * .random(in: 0..<168, using: &random)))
                guard narrow.matches(subject, at: time, in: now) else { continue }
                let both = wide.matches(subject, at: time, in: now)
                if covers {
                    matched += 1
                    #expect(both, "\(wide) \(narrow) \(subject) \(now)")
                } else if !both {
                    apart += 1
                }
            }
        }
        // The test says something only if all of it happens.
        #expect(covered > 300 && matched > 300 && apart > 100, "\(covered) \(matched) \(apart)")
    }

    @Test func everyMatchCoversItself() {
        var random = Seeded(48)
        for _ in 0..<2000 {
            let one = match(&random)
            #expect(one.covers(one))
            #expect(RuleMatch().covers(one))
        }
    }

    /// Between a moment and the next change nothing changes, and at the change something does.
    @Test func theNextChangeIsTheFirst() {
        var random = Seeded(49)
        for _ in 0..<300 {
            let week = WeekHours(
                hours: maybe([Set(6..<8), [23, 0], Set(0..<24)], &random), weekdays: maybe([[0], [6, 0]], &random))
            let time = tuesday.advanced(by: .seconds(.random(in: 0..<700_000, using: &random)))
            let change = week.nextChange(after: time)
            if let change { #expect(change > time && week.contains(change) != week.contains(time)) }
            for hour in 0..<170 {
                let later = time.advanced(by: .seconds(3600 * hour))
                if let change, later >= change { break }
                #expect(week.contains(later) == week.contains(time), "\(week) \(time) \(later)")
            }
        }
    }

    // MARK: - Texts

    private static let sections = [
        "machine", "machine.power-limit-floor", "site", "carbon", "carbon.source", "carbon.price", "billing", "ledger",
        "fair-share", "fair-share.weights", "queue.a", "queue.b", "queue.a.defer", "limits", "sandbox.a",
        "reservation.a",
        "budget.a", "access", "notify", "nothing",
    ]

    private static let values =
        PolicyKey.all.map(\.example) + [
            "0", "-1", "9223372036854775807", "-9223372036854775808", "nan", "inf", "-inf", "1e308", "true", "\"\"",
            "[]",
            "{}", "\"1e400 W\"", "\"-1 kWh/month\"", "\"99999999999999999999 d\"", "\"\\u0000\"",
            "2026-11-24T08:00:00Z",
            "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "[\"a\", \"b\"]", "[\"@\", \"*\"]", "\"00-24\"",
            "\"sun-mon\"",
            "\"0 g/kWh\"", "\"-1000 EUR/kWh\"", "{ up-to = \"1 y\", suspend-above = \"0.1 EUR/kWh\" }",
        ]

    /// Mostly sense, or nothing would be taken: no table and no key twice, three values in four those of the key's example.
    private func text(_ random: inout Seeded) -> String {
        var lines: [String] = []
        let count = Int.random(in: 1...5, using: &random)
        for section in Self.sections.shuffled(using: &random).prefix(count) {
            lines.append("[\(section)]")
            let isDefault = section == "queue.a" || (section == "queue.b" && !lines.contains { $0 == "[queue.a]" })
            if isDefault { lines.append("default = true") }
            if section == "reservation.a" { lines.append("user = \"u\"\ncpus = 1") }
            let normal = section.split(separator: ".").map { $0.count == 1 ? "NAME" : String($0) }.joined(
                separator: ".")
            lines += keys(of: normal, except: ["default", "user", "cpus"], &random)
        }
        for index in 0..<Int.random(in: 0...3, using: &random) {
            let action = Rule.Action.allCases.randomElement(using: &random)?.rawValue ?? ""
            lines.append("[[rule]]\nname = \"r\(index)\"\nthen = \"\(action)\"")
            if action == "defer" { lines.append("up-to = \"1 h\"") }
            if action == "cap" { lines.append("cpus = 3") }
            if Int.random(in: 0..<4, using: &random) == 0 {
                lines += keys(of: "rule", except: ["name", "then", "up-to", "cpus"], &random)
            }
            lines.append("[rule.match]")
            lines += keys(of: "rule.match", except: [], &random)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func keys(of section: String, except: [String], _ random: inout Seeded) -> [String] {
        let here = PolicyKey.all.filter { $0.name.hasPrefix(section + ".") }
        return here.shuffled(using: &random).prefix(.random(in: 0...4, using: &random)).compactMap { key in
            let name = String(key.name.dropFirst(section.count + 1)).replacing("NAME", with: "a")
            if except.contains(name) || name.contains(Character(".")) { return nil }
            let isWild = Int.random(in: 0..<12, using: &random) == 0
            return "\(name) = \(isWild ? Self.values.randomElement(using: &random) ?? "" : key.example)"
        }
    }

    /// No text traps, nothing is both taken and refused, and what is taken answers all questions at all times.
    @Test func randomPoliciesNeverTrap() throws {
        var random = Seeded(50)
        var taken = 0
        let times = [tuesday, Timestamp(microseconds: .min), Timestamp(microseconds: .max), Timestamp(microseconds: 0)]
        for _ in 0..<1500 {
            let text = text(&random)
            let verdict = PolicyCheck.verdict(files: [("p.toml", text)])
            for problem in verdict.problems + verdict.warnings {
                #expect(problem.file == "p.toml" && problem.line > 0, "\(problem)\n\(text)")
            }
            guard verdict.problems.isEmpty, let set = try? policy(text) else {
                #expect(!verdict.problems.isEmpty)
                continue
            }
            taken += 1
            _ = set.report()
            _ = PolicyCheck.warnings(of: set, on: wholeMachine)
            let now = conditions(&random)
            for time in times {
                _ = set.ask(job(notBefore: time), now: time, in: now)
                _ = set.waits(subject(&random), at: time, in: now)
                _ = set.bounds(for: subject(&random), at: time, in: now, whileSuspended: true)
                if let next = set.nextChange(after: time) { #expect(next > time || time.microseconds == .max) }
                _ = set.usable(of: wholeMachine, for: subject(&random), at: time)
                for reservation in set.reservations { _ = reservation.nextInterval(from: time) }
                for budget in set.budgets {
                    _ = budget.verdict(spent: [.energy: .max, .carbon: .min, .money: .max], at: time)
                }
            }
        }
        #expect(taken > 200 && taken < 1300, "\(taken)")
    }

    /// Bytes that are no TOML at all, and TOML cut short.
    @Test func brokenTextsNeverTrap() {
        var random = Seeded(51)
        for _ in 0..<800 {
            var bytes = Array(text(&random).utf8)
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                if Bool.random(using: &random) {
                    bytes[index] = .random(in: 0...255, using: &random)
                } else {
                    bytes.remove(at: index)
                    if bytes.isEmpty { bytes = [10] }
                }
            }
            _ = PolicyCheck.verdict(files: [("p.toml", String(decoding: bytes, as: UTF8.self))])
        }
    }

    /// Reading depends on the order of the names alone, not on that of the arguments.
    @Test func theOrderOfTheArgumentsDoesNotMatter() {
        var random = Seeded(52)
        for _ in 0..<100 {
            let files = (0..<3).map { (name: "\($0).toml", text: text(&random)) }
            let one = PolicyCheck.verdict(files: files)
            #expect(one == PolicyCheck.verdict(files: files.reversed()))
            if one.problems.isEmpty {
                let shuffled = try? PolicySet.load(files: files.shuffled(using: &random))
                #expect(shuffled == (try? PolicySet.load(files: files)))
            }
        }
    }

    /// A time of day is read as it was printed.
    @Test func timesOfDay() throws {
        for minutes in 0..<1440 {
            let time = try #require(TimeOfDay("\(minutes / 60):\(minutes % 60 < 10 ? "0" : "")\(minutes % 60)"))
            #expect(time.minutes == minutes && TimeOfDay("\(time)") == time)
            #expect(tuesday.next(time) > tuesday && tuesday.next(time).since(tuesday) <= .seconds(86_400))
        }
        for text in ["", "22", "24:00", "22:60", "22:0", "-1:00", "+1:00", "022:00", "22:00:00", "a:bc", "٢٢:00"] {
            #expect(TimeOfDay(text) == nil, "\(text)")
        }
    }

    /// Thresholds are read as they were printed.
    @Test func thresholds() throws {
        for text in ["400 g/kWh", "0.35 EUR/kWh", "0 g/kWh", "-0.1 USD/kWh"] {
            let threshold = try GridThreshold(parsing: text)
            #expect("\(threshold)" == text)
            #expect(try GridThreshold(parsing: "\(threshold)") == threshold)
        }
        #expect(throws: UnitError.self) { try GridThreshold(parsing: "400") }
    }
}
