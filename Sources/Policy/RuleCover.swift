/// Asks what rules leave of the jobs that others match. It gives up, and then says nothing, where they cut those into too many
/// parts: a policy file may be made to.
struct RuleCover {
    private let everything: MatchSpace
    /// How many parts may still be cut.
    private var effort = 200_000
    private static let mostParts = 2000

    init(queues: [String]) { everything = MatchSpace(queues: queues) }

    /// The rules of `earlier` that leave nothing of what `later` matches, as few as that takes; empty where something is left.
    mutating func rules(of earlier: [Rule], hiding later: Rule) -> [Rule] {
        guard let whole = everything.within(later.match.cuts) else { return [] }
        var used: [Rule] = []
        var rest = [whole]
        for rule in earlier {
            guard let left = cut(rest, rule.match.cuts) else { return [] }
            if left == rest { continue }
            used.append(rule)
            rest = left
            if rest.isEmpty { break }
        }
        guard rest.isEmpty else { return [] }
        for rule in used where used.count > 1 {
            let others = used.filter { $0.name != rule.name }
            var rest = [whole]
            for other in others { rest = cut(rest, other.match.cuts) ?? [whole] }
            if rest.isEmpty { used = others }
        }
        return used
    }

    /// The denials that leave no job of a project to the rules that take some, or to no rule at all; empty where jobs are taken.
    mutating func denials(of rules: [Rule], closing project: String) -> [Rule] {
        guard let whole = everything.within([.projects([project])]) else { return [] }
        var used: [Rule] = []
        var rest = [whole]
        for rule in rules where rule.decides {
            guard let left = cut(rest, rule.match.cuts) else { return [] }
            if left == rest { continue }
            guard rule.action == .deny else { return [] }
            used.append(rule)
            rest = left
            if rest.isEmpty { return used }
        }
        return []
    }

    /// Whether some job at some moment is matched by all of these.
    func overlap(_ matches: [RuleMatch]) -> Bool { everything.within(matches.flatMap(\.cuts)) != nil }

    private mutating func cut(_ parts: [MatchSpace], _ cuts: [MatchSpace.Cut]) -> [MatchSpace]? {
        effort -= parts.count
        guard effort > 0 else { return nil }
        let left = parts.flatMap { $0.without(cuts) }
        return left.count > Self.mostParts ? nil : left
    }
}
