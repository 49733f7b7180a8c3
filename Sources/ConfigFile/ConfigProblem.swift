/// One thing wrong with a configuration document, said so that a person can mend it.
package struct ConfigProblem: Error, Hashable, Sendable, Codable {
    package var file: String
    /// 1-based; 0 when the document did not come from a file.
    package var line: Int
    package var message: String
    /// What to do about it, such as the near match of a misspelt key.
    package var hint: String?

    package init(file: String, line: Int, message: String, hint: String? = nil) {
        self.file = file
        self.line = line
        self.message = message
        self.hint = hint
    }
}

extension ConfigProblem: CustomStringConvertible {
    /// `jobs/train.toml:12: unknown key "epoch" in [train]; did you mean "epochs"?`
    package var description: String {
        let place = line > 0 ? "\(file):\(line): " : (file.isEmpty ? "" : "\(file): ")
        return place + message + (hint.map { "; " + $0 } ?? "")
    }
}

/// Everything wrong with one or more documents, in the order it was found.
package struct ConfigProblems: Error, Hashable, Sendable, CustomStringConvertible {
    package var problems: [ConfigProblem]

    package init(_ problems: [ConfigProblem]) {
        self.problems = problems
    }

    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
