import ConfigFile
import JobAPI

/// A job file as read, with what `--set` changed in it.
struct JobFile {
    let path: String
    private(set) var table: ConfigTable
    /// The top-level sections `--set` has touched.
    private(set) var changedSections: Set<String> = []

    /// - Throws: ``Failure`` when the file cannot be read or is not TOML.
    init(path: String) throws {
        self.path = path
        do {
            table = try TOMLParser.parse(readText(path), file: path)
        } catch let problem as ConfigProblem {
            throw Failure.failed(problem.description)
        }
    }

    /// Applies `key.path=VALUE`.
    mutating func set(_ assignment: String) throws {
        do { changedSections.insert(try table.assign(assignment)) } catch { throw Failure.usage(error.description) }
    }

    /// - Parameter directory: where relative paths of the file start.
    func spec(directory: String, home: String) throws -> JobSpec {
        do {
            return try JobSpec.parse(table, file: path, directory: directory, home: home)
        } catch {
            throw Failure.failed(error.description)
        }
    }
}
