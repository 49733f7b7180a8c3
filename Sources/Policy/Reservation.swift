import JobAPI
package import Units

/// `[reservation.NAME]`: a part of the machine that is kept for some people for a time.
package struct Reservation: Hashable, Sendable {
    package var name: String
    /// From when; nil for one that recurs with ``week``.
    package var start = Setting<Timestamp?>(nil)
    /// Until when.
    package var end = Setting<Timestamp?>(nil)
    /// The hours of the week, for one without start and end.
    package var hour = Setting<String?>(nil)
    package var weekday = Setting<[String]?>(nil)
    package var week = WeekHours()
    package var cpus = Setting(0)
    package var gpus = Setting(0)
    package var memory = Setting(ByteSize.zero)
    package var audience = Audience()
    /// The first line that defined it.
    package var source: RuleReference

    package init(name: String, source: RuleReference) {
        self.name = name
        self.source = source
    }

    /// `4 cpus and 16 GiB`.
    package var keptWords: String {
        var parts: [String] = []
        if cpus.value > 0 { parts.append(counted(cpus.value, "cpu")) }
        if memory.value > .zero { parts.append("\(memory.value)") }
        if gpus.value > 0 { parts.append(counted(gpus.value, "gpu")) }
        return parts.joined(separator: " and ")
    }

    package var recurs: Bool { start.value == nil && end.value == nil }

    package func isActive(at time: Timestamp) -> Bool {
        if recurs { return week.contains(time) }
        return (start.value.map { $0 <= time } ?? true) && (end.value.map { time < $0 } ?? true)
    }

    /// Whether a job may use what is kept.
    package func includes(_ subject: RuleMatch.Subject) -> Bool {
        audience.includes(
            user: subject.submitter.user, groups: subject.submitter.groups, project: subject.project)
    }

    /// The first moment after `time` at which it begins or ends; nil when none comes.
    package func nextChange(after time: Timestamp) -> Timestamp? {
        if recurs { return week.nextChange(after: time) }
        return [start.value, end.value].compactMap { $0 }.filter { $0 > time }.min()
    }

    /// When it holds next: from `time` if it holds then, else from its next start, until before its end. Nil when it never
    /// will again.
    package func nextInterval(from time: Timestamp) -> Range<Timestamp>? {
        let forever = Timestamp(microseconds: .max)
        var begin = time
        if !isActive(at: time) {
            guard let change = nextChange(after: time), isActive(at: change) else { return nil }
            begin = change
        }
        let end = nextChange(after: begin) ?? forever
        return begin < end ? begin..<end : nil
    }
}

extension PolicySet {
    package func reservation(_ name: String) -> Reservation? { reservations.first { $0.name == name } }

    /// What a job may use of `machine` at `time`: all but the reserves and what is kept for others then.
    package func usable(
        of machine: MachineCapacity, for subject: RuleMatch.Subject, at time: Timestamp
    ) -> MachineCapacity {
        var rest = usable(of: machine)
        for reservation in reservations where reservation.isActive(at: time) && !reservation.includes(subject) {
            rest.cpus = max(0, rest.cpus - reservation.cpus.value)
            rest.gpus = max(0, rest.gpus - reservation.gpus.value)
            rest.memory = ByteSize(bytes: max(0, rest.memory.bytes - reservation.memory.value.bytes))
        }
        return rest
    }

    /// Reservations that are over for good at `time`, to be told of in a report.
    package func pastReservations(at time: Timestamp) -> [Reservation] {
        reservations.filter { !$0.isActive(at: time) && $0.nextChange(after: time) == nil }
    }
}

extension Reservation {
    /// Its lines in ``PolicySet/report()``.
    var lines: [PolicyReport.Line] {
        func line(_ key: String, _ place: String?, _ value: String) -> PolicyReport.Line {
            .init(key: "reservation.\(name).\(key)", value: value, source: place ?? source.place)
        }
        return [
            line("start", start.source?.place, start.value.map { "\($0)" } ?? "not set"),
            line("end", end.source?.place, end.value.map { "\($0)" } ?? "not set"),
            line("hour", hour.source?.place, hour.value ?? "any"),
            line("weekday", weekday.source?.place, weekday.value?.joined(separator: ", ") ?? "any"),
            line("cpus", cpus.source?.place, "\(cpus.value)"),
            line("gpus", gpus.source?.place, "\(gpus.value)"),
            line("memory", memory.source?.place, "\(memory.value)"),
            line("user", audience.users.source?.place, audience.users.listed),
            line("group", audience.groups.source?.place, audience.groups.listed),
            line("project", audience.projects.source?.place, audience.projects.listed),
        ]
    }
}
