package import ConfigFile

/// What `mlctl policy check` asks: would these files be taken?
package enum PolicyCheck {
    /// Every problem of the files as one set: what is wrong in each, and what does not go together. Empty means that
    /// ``PolicySet/load(files:)`` takes them; the two never differ.
    package static func check(files: [(name: String, text: String)]) -> [ConfigProblem] {
        verdict(files: files).problems
    }

    /// The problems, and, where there are none, what would be taken but would not do what it seems to.
    package struct Verdict: Hashable, Sendable {
        package var problems: [ConfigProblem]
        package var warnings: [ConfigProblem]
    }

    package static func verdict(files: [(name: String, text: String)]) -> Verdict {
        do {
            let set = try PolicySet.load(files: files)
            return Verdict(problems: [], warnings: set.warnings)
        } catch {
            return Verdict(problems: error.problems, warnings: [])
        }
    }
}
