import ConfigFile

/// Whom a reservation or budget is about. As in a rule's match, all that are given must hold; of a list, one.
package struct Audience: Hashable, Sendable {
    /// Nil for any, as the others.
    package var users = Setting<Set<String>?>(nil)
    package var groups = Setting<Set<String>?>(nil)
    package var projects = Setting<Set<String>?>(nil)

    package init() {}

    package var isEverybody: Bool { users.value == nil && groups.value == nil && projects.value == nil }

    package func includes(user: String, groups theirs: [String], project: String) -> Bool {
        (users.value?.contains(user) ?? true) && (groups.value.map { !$0.isDisjoint(with: theirs) } ?? true)
            && (projects.value?.contains(project) ?? true)
    }
}

extension PolicyLoader {
    /// Lays what a section says over an audience.
    func read(_ section: ConfigReader, into audience: inout Audience) {
        assign(section, "user", section.stringOrStrings("user").map { Set($0) }, &audience.users)
        assign(section, "group", section.stringOrStrings("group").map { Set($0) }, &audience.groups)
        assign(section, "project", section.stringOrStrings("project").map { Set($0) }, &audience.projects)
    }
}

extension Setting where Value == Set<String>? {
    /// For reports.
    var listed: String { value?.sorted().joined(separator: ", ") ?? "any" }
}
