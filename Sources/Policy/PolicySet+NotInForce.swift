package import ConfigFile
import JobAPI

extension PolicySet {
    /// Keys that are read and checked, so that files can be written and tried in simulations, but that the daemon does not act on
    /// yet. `*` stands for names. `docs/policy.md` lists the same; what is built leaves the list.
    package static let notInForce = [
        "machine.gpu-share", "queue.*.gpu-share",
    ]

    /// What of these files says waits for a later version, each with its line.
    package var notInForceYet: [ConfigProblem] {
        let standard = Dictionary(
            Self.builtIn.report().settings.map { (Self.withoutQueue($0.key), $0.value) },
            uniquingKeysWith: { a, _ in a })
        let settings = report().settings.filter { line in
            // Of a budget each quantity has its line here, set or not.
            !["no limit", "any"].contains(line.value) && line.source != Setting(0).place
                && standard[Self.withoutQueue(line.key)] != line.value
                && Self.notInForce.contains { Self.matches(line.key, $0) }
        }
        // One line for a table: its keys may all be of one place.
        var seen: Set<String> = []
        return settings.filter { seen.insert($0.source).inserted }.map { line in
            Self.problem(line.source, "\"\(line.key)\" is checked, but this version of mld does not act on it yet")
        }
    }

    /// The keys of all queues have the same standard.
    private static func withoutQueue(_ key: String) -> String {
        let standard = "queue.*"
        guard key.hasPrefix("queue."),
            let pattern = notInForce.first(where: { $0.hasPrefix(standard) && matches(key, $0) })
        else { return key }
        return pattern
    }

    private static func matches(_ key: String, _ pattern: String) -> Bool {
        guard let star = pattern.firstIndex(of: "*") else { return key == pattern }
        let (start, end) = (pattern[..<star], pattern[pattern.index(after: star)...])
        return key.hasPrefix(start) && key.hasSuffix(end) && key.utf8.count > start.utf8.count + end.utf8.count
    }

    private static func problem(_ place: String, _ message: String) -> ConfigProblem {
        let colon = place.lastIndex(of: ":")
        return ConfigProblem(
            file: colon.map { String(place[..<$0]) } ?? place,
            line: colon.flatMap { Int(place[place.index(after: $0)...]) } ?? 0, message: message,
            hint: "mlctl policy simulate shows what it would do")
    }
}
