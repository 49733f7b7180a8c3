import ConfigFile
import Glibc
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

/// The text of a file of at most 1 MiB.
func readText(_ path: String) throws -> String {
    let limit = 1 << 20
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw Failure.failed("\(path): \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = read(descriptor, &chunk, chunk.count)
        if count < 0, errno == EINTR { continue }
        if count < 0 { throw Failure.failed("\(path): \(String(cString: strerror(errno)))") }
        if count == 0 { break }
        bytes.append(contentsOf: chunk[..<count])
        if bytes.count > limit { throw Failure.failed("\(path): the file is larger than 1 MiB") }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw Failure.failed("\(path): the file is not UTF-8 text")
    }
    return text
}
