import ConfigFile

// Checks that need all the files.

extension PolicyLoader {
    /// The merged set; problems between its parts go to the collector.
    mutating func finish() -> PolicySet {
        if set.queues.isEmpty {
            set.queues = PolicySet.builtIn.queues
        } else if set.defaultQueue == nil {
            report(
                set.queues[0].source, "no queue has default = true, so a job that names none has nowhere to go",
                hint: "add default = true to one of "
                    + set.queues.map { "[queue.\($0.name)]" }.joined(separator: ", ")
                    + "; the built-in queues are gone once a file defines one")
        }
        checkSandboxes()
        checkRules()
        return set
    }

    private func checkSandboxes() {
        let names = set.sandboxes.map(\.name)
        for queue in set.queues where !names.contains(queue.sandbox.value) {
            report(
                queue.sandbox.source, "there is no [sandbox.\(queue.sandbox.value)]",
                hint: suggestion(queue.sandbox.value, among: names, what: "profiles"))
        }
        let used = Set(set.queues.map(\.sandbox.value))
        for profile in set.sandboxes where profile.source != nil && !used.contains(profile.name) {
            report(
                profile.source, "no queue uses [sandbox.\(profile.name)], so it has no effect",
                hint: "add sandbox = \"\(profile.name)\" to a queue, or remove it")
        }
        // Here and not where they are read: one file may set the one, another the other.
        for profile in set.sandboxes {
            for name in profile.allowSyscalls.value where profile.refuseSyscalls.value.contains(name) {
                report(
                    profile.allowSyscalls.source,
                    "\"sandbox.\(profile.name).allow-syscalls\" has \"\(name)\", which refuse-syscalls has too"
                        + " (\(profile.refuseSyscalls.place))", hint: "keep it in one of them")
            }
        }
    }

    private func checkRules() {
        let queues = set.queues.map(\.name)
        for (index, rule) in set.rules.enumerated() {
            for queue in (rule.match.queues ?? []).sorted() where !queues.contains(queue) {
                report(
                    rule.reference, "rule \"\(rule.name)\" matches queue \"\(queue)\", which does not exist",
                    hint: suggestion(queue, among: queues, what: "queues"))
            }
            if let earlier = set.rules[..<index].first(where: { $0.match.covers(rule.match) }) {
                report(
                    rule.reference,
                    "rule \"\(rule.name)\" is never reached: \"\(earlier.name)\" (\(earlier.reference.place)) "
                        + (earlier.match.isUnconditional ? "matches every job" : "matches all its jobs"),
                    hint: "the first rule that matches decides; put the narrower rule first")
            }
        }
    }

    private func report(_ reference: RuleReference?, _ message: String, hint: String) {
        collector.add(
            ConfigProblem(file: reference?.file ?? "", line: reference?.line ?? 0, message: message, hint: hint))
    }
}

/// `did you mean "batch"? queues: interactive, batch`.
func suggestion(_ word: String, among names: [String], what: String) -> String {
    let list = "\(what): " + names.joined(separator: ", ")
    return nearMatch(word, among: names).map { "did you mean \"\($0)\"? \(list)" } ?? list
}
