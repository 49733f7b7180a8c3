package import Policy

extension Knob {
    /// - Throws: where the policy has no such setting, or a replay does not go by it: a sweep over either would show that nothing
    ///   matters.
    package func check(in policy: PolicySet) throws(SweepError) {
        let known = Self.settings(of: policy)
        // An account that has no weight yet has 1.
        let isWeight = name.split(separator: ".").count == 3 && name.hasPrefix("fair-share.weights.")
        guard known.contains(name) || isWeight else {
            let near = nearest(name, among: known).map { "did you mean \"\($0)\"?" }
            let hint =
                name.hasPrefix("rule.")
                ? "rules have no key of their own; compare two files with mlctl policy compare"
                : near ?? "its queues: " + policy.queues.map(\.name).joined(separator: ", ")
            throw SweepError("the policy has no setting \"\(shown(name))\"", hint: hint)
        }
        guard let instead = Self.hintWhereIgnored(name) else { return }
        throw SweepError("a replay does not go by \"\(name)\", so every value would give the same", hint: instead)
    }

    /// Every key of the policy language, with the names that this policy has.
    private static func settings(of policy: PolicySet) -> [String] {
        let names: [String: [String]] = [
            "queue": policy.queues.map(\.name), "sandbox": policy.sandboxes.map(\.name),
            "reservation": policy.reservations.map(\.name), "budget": policy.budgets.map(\.name),
        ]
        return PolicyKey.all.map(\.name).filter { !$0.hasPrefix("rule.") }.flatMap { key -> [String] in
            let parts = key.split(separator: ".")
            guard parts.contains("NAME") else { return [key] }
            let section = parts.first.map(String.init) ?? ""
            return (names[section] ?? []).map { name in
                parts.map { $0 == "NAME" ? name : String($0) }.joined(separator: ".")
            }
        }
    }

    /// What to do instead of turning a setting that no replay asks for; nil for those it goes by.
    private static func hintWhereIgnored(_ name: String) -> String? {
        let parts = name.split(separator: ".").map(String.init)
        let last = parts.last ?? ""
        switch parts.first ?? "" {
        case "site": return "all replays have one site, whose figures only scale carbon and cost"
        case "carbon": return "give the grid with --signal CSV and --price CSV"
        case "budget": return "budgets are not replayed"
        case "billing", "ledger", "notify": return "it bears on the books and on messages, not on which job runs when"
        case "access" where last != "submit": return "it bears on who may do what, not on which job runs when"
        case "sandbox" where last != "max-cpus" && last != "max-memory":
            return "a trace does not tell what its jobs would ask of the sandbox"
        case "queue" where ["max-suspended", "power-limit", "gpu-share"].contains(last),
            "machine" where last == "gpu-share" || name.hasPrefix("machine.power-limit-floor."):
            return "jobs of a trace run as fast as they did then, each on devices of its own"
        default: return nil
        }
    }
}
