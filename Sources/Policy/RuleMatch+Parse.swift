import ConfigFile
import Units

extension RuleMatch {
    static let weekdayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    static let kindNames = ["command", "train"]

    /// Reads `match = { ... }`; problems go to the reader's collector.
    init(_ reader: ConfigReader) {
        self.init()
        users = names("user", reader)
        groups = names("group", reader)
        projects = names("project", reader)
        queues = names("queue", reader)
        kinds = names("kind", reader, among: Self.kindNames)
        if let value = reader.integer("cpus-above", in: 0...100_000) {
            cpusAbove = value
            conditions.append("cpus-above = \(value)")
        }
        if let value = reader.integer("gpus-above", in: 0...1024) {
            gpusAbove = value
            conditions.append("gpus-above = \(value)")
        }
        if let value = reader.size("memory-above") {
            memoryAbove = value
            conditions.append("memory-above = \(value)")
        }
        readConditions(reader)
        if let read = reader.hours("hour") {
            hours = read.value
            conditions.append("hour = \(read.text) UTC")
        }
        if let read = reader.weekdays("weekday") {
            weekdays = read.value
            conditions.append("weekday = \(read.texts.joined(separator: ", "))")
        }
        reader.finish()
    }

    private mutating func readConditions(_ reader: ConfigReader) {
        let intensity = quantity("intensity-above", reader, example: "300 g/kWh") { text throws(UnitError) in
            try CarbonIntensity(parsing: text)
        }
        if let intensity {
            intensityAbove = intensity
            conditions.append("intensity-above = \(intensity)")
        }
        let price = quantity("price-above", reader, example: "0.4 EUR/kWh") { text throws(UnitError) in
            try EnergyPrice(parsing: text)
        }
        if let price {
            priceAbove = price
            conditions.append("price-above = \(price)")
        }
        let power = quantity("power-above", reader, example: "1 kW") { text throws(UnitError) in
            try Power(parsing: text)
        }
        if let power {
            if !(power.watts >= 0 && power.watts <= 1e6) {
                reader.report("power-above", "\"rule.match.power-above\" is \(power); it must be from 0 W to 1000 kW")
            }
            powerAbove = power
            conditions.append("power-above = \(power)")
        }
    }

    private mutating func names(_ key: String, _ reader: ConfigReader, among known: [String]? = nil) -> Set<String>? {
        guard let names = reader.stringOrStrings(key) else { return nil }
        for name in names {
            if let known, !known.contains(name) {
                reader.report(
                    key, "\"rule.match.\(key)\" has \"\(name)\"; it must be one of \(known.joined(separator: ", "))",
                    hint: nearMatch(name, among: known).map { "did you mean \"\($0)\"?" })
            }
        }
        conditions.append("\(key) = \(names.joined(separator: ", "))")
        return Set(names)
    }

    /// `22-06` is 22, 23, 0, ..., 5. Nil for anything that is not two different hours.
    static func hours(_ text: String) -> Set<Int>? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let from = hour(parts[0], upTo: 23), let to = hour(parts[1], upTo: 24), from != to
        else { return nil }
        let length = (to - from + 24) % 24
        // "00-24" has length 0 and is the whole day: a condition that never excludes anything is a mistake.
        guard length > 0 else { return nil }
        return Set((0..<length).map { (from + $0) % 24 })
    }

    private static func hour(_ text: Substring, upTo limit: Int) -> Int? {
        guard (1...2).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let value = Int(text), value <= limit
        else { return nil }
        return value
    }

    /// `sat`, or `fri-mon` for friday to monday.
    static func weekdays(_ text: String) -> Set<Int>? {
        let parts = text.lowercased().split(separator: "-", omittingEmptySubsequences: false)
        let days = parts.compactMap { weekdayNames.firstIndex(of: String($0)) }
        guard days.count == parts.count, let first = days.first, let last = days.last, days.count <= 2 else {
            return nil
        }
        return Set((0...((last - first + 7) % 7)).map { (first + $0) % 7 })
    }
}

extension ConfigReader {
    /// Hours of the day such as `22-06`, and how they were written.
    func hours(_ key: String) -> (text: String, value: Set<Int>)? {
        guard let text = string(key) else { return nil }
        if let value = RuleMatch.hours(text) { return (text, value) }
        report(
            key, "\"\(name).\(key)\" is \"\(printable(text))\"; it must be two different hours of the day, in UTC",
            hint: "for example \(key) = \"22-06\", from 22:00 until before 06:00")
        return nil
    }

    /// Days of the week such as `mon-fri`, and how they were written.
    func weekdays(_ key: String) -> (texts: [String], value: Set<Int>)? {
        guard let texts = stringOrStrings(key) else { return nil }
        var days: Set<Int> = []
        for text in texts {
            if let some = RuleMatch.weekdays(text) {
                days.formUnion(some)
            } else {
                report(
                    key, "\"\(name).\(key)\" has \"\(printable(text))\"; it must be a day or a range of days",
                    hint: "for example \"mon-fri\" or [\"sat\", \"sun\"]; the days are "
                        + RuleMatch.weekdayNames.joined(separator: ", "))
            }
        }
        return (texts, days)
    }

    /// One string or an array of them; an empty array, which could match nothing, is a problem.
    func stringOrStrings(_ key: String) -> [String]? {
        guard let node = node(key) else { return nil }
        let values: [String]?
        if case .string(let value) = node.value { values = [value] } else { values = strings(key) }
        guard let values else { return nil }
        if values.isEmpty || values.contains("") {
            report(key, "\"\(name).\(key)\" has no name in it", hint: "leave the key out to match all")
            return nil
        }
        return values
    }
}
