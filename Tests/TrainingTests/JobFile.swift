import ConfigFile
import JobAPI

/// Job files for tests, without touching a disk.
enum JobFile {
    static func parse(_ text: String) throws(ConfigProblems) -> JobSpec {
        try JobSpec.parse(text, file: "job.toml", directory: "/work-directory", home: "/home/nobody")
    }

    static func json(_ text: String) throws -> String { try JSON.text(try parse(text)) }
}
