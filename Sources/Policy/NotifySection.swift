import ConfigFile
package import JobAPI

extension PolicySet {
    /// Who is told when a job has ended.
    package struct Notify: Hashable, Sendable {
        /// A program that is run for each end; nil for none.
        package var hook = Setting<String?>(nil)
        /// For which states it is run.
        package var on = Setting(Self.finalStates)
        /// Whether jobs that ask for mail get it.
        package var mail = Setting(false)

        package init() {}

        /// Whether anybody may be told of an end at all.
        package var isOn: Bool { hook.value != nil || mail.value }

        static let finalStates = JobState.allCases.filter(\.isFinal)
    }
}

extension PolicyLoader {
    /// Lays a file's `[notify]` over what there is.
    mutating func addNotify(_ reader: ConfigReader) {
        guard let section = reader.table("notify") else { return }
        assign(section, "hook", hook(section), &set.notify.hook)
        assign(section, "on", section.finalStates("on"), &set.notify.on)
        assign(section, "mail", section.boolean("mail"), &set.notify.mail)
        section.finish()
    }

    private func hook(_ reader: ConfigReader) -> String? {
        guard let path = reader.string("hook") else { return nil }
        guard path.hasPrefix("/"), !path.hasSuffix("/"), !path.utf8.contains(0) else {
            reader.report(
                "hook", "\"notify.hook\" has \"\(path)\", which is not the absolute path of a program",
                hint: "write it like \"/etc/mld/notify\"; it gets no arguments")
            return nil
        }
        return path
    }
}

extension PolicySet {
    /// The lines of `[notify]` in ``report()``.
    var notifyLines: [PolicyReport.Line] {
        let states = notify.on.value
        return [
            .init(key: "notify.hook", value: notify.hook.value ?? "not set", source: notify.hook.place),
            .init(
                key: "notify.on",
                value: states == Notify.finalStates
                    ? "every final state" : states.isEmpty ? "none" : states.map(\.rawValue).joined(separator: ", "),
                source: notify.on.place),
            .init(key: "notify.mail", value: "\(notify.mail.value)", source: notify.mail.place),
        ]
    }
}
