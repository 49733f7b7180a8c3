package import ConfigFile

/// What `mlctl policy check` asks: would these files be taken?
package enum PolicyCheck {
    /// Every problem of the files as one set: what is wrong in each, and what does not go together. Empty means that
    /// ``PolicySet/load(files:)`` takes them; the two never differ.
    package static func check(files: [(name: String, text: String)]) -> [ConfigProblem] {
        do {
            _ = try PolicySet.load(files: files)
            return []
        } catch {
            return error.problems
        }
    }
}
