package import ConfigFile
package import Units

/// What `mlctl policy check` asks: would these files be taken?
package enum PolicyCheck {
    /// Every problem of the files as one set: what is wrong in each, and what does not go together. Empty means that
    /// ``PolicySet/load(files:zones:)`` takes them; the two never differ.
    package static func check(files: [(name: String, text: String)], zones: ZoneLookup? = nil) -> [ConfigProblem] {
        verdict(files: files, zones: zones).problems
    }

    /// The problems, and, where there are none, what would be taken but would not do what it seems to.
    package struct Verdict: Hashable, Sendable {
        package var problems: [ConfigProblem]
        package var warnings: [ConfigProblem]
    }

    /// What would be taken but would not do what it seems to, at this time.
    package static func warnings(of set: PolicySet, at time: Timestamp) -> [ConfigProblem] {
        set.warnings
            + set.pastReservations(at: time).map { reservation in
                let source = reservation.end.source ?? reservation.source
                return ConfigProblem(
                    file: source.file, line: source.line,
                    message: "reservation \"\(reservation.name)\" is over"
                        + (reservation.end.value.map { " since \($0)" } ?? "") + " and keeps nothing any more",
                    hint: "remove it, or give it a new start and end")
            }
    }

    /// - Parameters:
    ///   - zones: who knows the zones of the grid.
    ///   - time: when it is asked; nil says nothing of what is over.
    package static func verdict(
        files: [(name: String, text: String)], zones: ZoneLookup? = nil, at time: Timestamp? = nil
    ) -> Verdict {
        do {
            let set = try PolicySet.load(files: files, zones: zones)
            let told = time.map { warnings(of: set, at: $0) } ?? set.warnings
            return Verdict(problems: [], warnings: told)
        } catch {
            return Verdict(problems: error.problems, warnings: [])
        }
    }
}
