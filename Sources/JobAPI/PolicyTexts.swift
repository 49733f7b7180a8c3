/// Answer to `GET /v1/policy/files`: the texts of what is in force, in the order they were merged.
package struct PolicyTexts: Codable, Hashable, Sendable {
    package struct File: Codable, Hashable, Sendable {
        package var name: String
        package var text: String

        package init(name: String, text: String) {
            self.name = name
            self.text = text
        }
    }

    /// SHA-256 of the files.
    package var hash: String
    /// None where the built-in policy is in force.
    package var files: [File]

    package init(hash: String, files: [File]) {
        self.hash = hash
        self.files = files
    }
}
