import ConfigFile
import JobAPI

/// What somebody may want to do that is not everybody's right.
package enum AccessAction: String, CaseIterable, Sendable {
    case submit
    case seeOthers = "see-others"
    case reloadPolicy = "reload-policy"
    case changeBudgets = "change-budgets"

    /// For messages: `alice may not ...`.
    package var words: String {
        switch self {
        case .submit: "submit jobs"
        case .seeOthers: "see the jobs of others"
        case .reloadPolicy: "reload the policy"
        case .changeBudgets: "change budgets"
        }
    }
}

/// Whether somebody may do something, and what says so.
package struct AccessAnswer: Hashable, Sendable {
    package var isAllowed: Bool
    /// The key that decided, such as `access.submit`.
    package var key: String
    /// Where it was set; nil when built in.
    package var source: RuleReference?
    /// What to tell whoever may not.
    package var refusal: Refusal?
}

extension PolicySet {
    package struct Access: Hashable, Sendable {
        /// Users by name and groups as `@group`.
        package var admins: Setting<[String]>
        /// Likewise, with `*` for everybody, as the other lists.
        package var submit = Setting(["*"])
        package var seeOthers = Setting<[String]>([])
        package var reloadPolicy = Setting<[String]>([])
        package var changeBudgets = Setting<[String]>([])

        package func list(for action: AccessAction) -> Setting<[String]> {
            switch action {
            case .submit: submit
            case .seeOthers: seeOthers
            case .reloadPolicy: reloadPolicy
            case .changeBudgets: changeBudgets
            }
        }
    }

    /// Whether `submitter` may act on others' jobs and on the policy: root always, else who is listed.
    package func isAdmin(_ submitter: Submitter) -> Bool {
        submitter.uid == 0 || Self.holds(access.admins.value, submitter)
    }

    /// Whether `submitter` may do this: admins always, else who is listed for it.
    package func mayRun(_ action: AccessAction, _ submitter: Submitter) -> AccessAnswer {
        let list = access.list(for: action)
        let key = "access.\(action.rawValue)"
        if Self.holds(list.value, submitter) { return AccessAnswer(isAllowed: true, key: key, source: list.source) }
        if isAdmin(submitter) {
            return AccessAnswer(isAllowed: true, key: "access.admins", source: access.admins.source)
        }
        let who = list.value.isEmpty ? "admins only" : list.value.joined(separator: ", ") + " and admins"
        return AccessAnswer(
            isAllowed: false, key: key, source: list.source,
            refusal: Refusal(
                "\(printable(submitter.user)) may not \(action.words) (\(key), \(list.place))", rule: list.source,
                hint: "it is for \(who); ask an admin"))
    }

    private static func holds(_ list: [String], _ submitter: Submitter) -> Bool {
        list.contains { entry in
            if entry == "*" { return true }
            return entry.hasPrefix("@") ? submitter.groups.contains(String(entry.dropFirst())) : entry == submitter.user
        }
    }
}

extension PolicyLoader {
    mutating func addAccess(_ reader: ConfigReader) {
        guard let section = reader.table("access") else { return }
        assign(section, "admins", people("admins", section, everybody: false), &set.access.admins)
        assign(section, "submit", people("submit", section), &set.access.submit)
        assign(section, "see-others", people("see-others", section), &set.access.seeOthers)
        assign(section, "reload-policy", people("reload-policy", section, everybody: false), &set.access.reloadPolicy)
        let budgets = people("change-budgets", section, everybody: false)
        assign(section, "change-budgets", budgets, &set.access.changeBudgets)
        section.finish()
    }

    private func people(_ key: String, _ reader: ConfigReader, everybody: Bool = true) -> [String]? {
        guard let list = reader.strings(key) else { return nil }
        for entry in list {
            if entry == "*" {
                if everybody { continue }
                reader.report(
                    key, "\"access.\(key)\" has \"*\", which would make everybody an admin of mld",
                    hint: "name users and groups")
            } else if entry.isEmpty || entry == "@" || entry.contains(where: \.isWhitespace) {
                reader.report(
                    key, "\"access.\(key)\" has \"\(printable(entry))\"",
                    hint: "write a user as \"alice\", a group as \"@staff\"")
            }
        }
        return list
    }
}

extension PolicySet {
    /// The lines of `[access]` in ``report()``.
    var accessLines: [PolicyReport.Line] {
        func line(_ key: String, _ setting: Setting<[String]>) -> PolicyReport.Line {
            .init(
                key: "access.\(key)", value: setting.value.isEmpty ? "none" : setting.value.joined(separator: ", "),
                source: setting.place)
        }
        return [line("admins", access.admins)]
            + AccessAction.allCases.map { line($0.rawValue, access.list(for: $0)) }
    }
}
