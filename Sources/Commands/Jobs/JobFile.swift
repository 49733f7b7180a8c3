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

    /// Applies `key.path=VALUE`. VALUE is TOML if it can be read as such, else the text itself.
    mutating func set(_ assignment: String) throws {
        let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let keys = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, keys.allSatisfy({ !$0.isEmpty }), let section = keys.first else {
            throw Failure.usage("--set \(assignment): it is written key.path=VALUE, as in --set resources.cpus=2")
        }
        let root = ConfigNode(.table(table))
        let changed = try Self.replacing(keys[...], in: root, with: Self.value(parts[1]), assignment: assignment)
        if case .table(let new) = changed.value { table = new }
        changedSections.insert(section)
    }

    /// - Parameter directory: where relative paths of the file start.
    func spec(directory: String, home: String) throws -> JobSpec {
        do {
            return try JobSpec.parse(table, file: path, directory: directory, home: home)
        } catch {
            throw Failure.failed(error.description)
        }
    }

    private static func value(_ text: String) -> ConfigNode.Value {
        // A text that brings further lines could smuggle in further keys; as TOML it must be this one value.
        if let table = try? TOMLParser.parse("value = " + text, file: ""), table.keys == ["value"],
            let node = table["value"]
        {
            return node.value
        }
        return .string(text)
    }

    private static func replacing(
        _ keys: ArraySlice<String>, in node: ConfigNode?, with value: ConfigNode.Value, assignment: String
    ) throws -> ConfigNode {
        guard let key = keys.first else { return ConfigNode(value, line: node?.line ?? 0) }
        switch node?.value {
        case nil, .table:
            var table = ConfigTable()
            if case .table(let old)? = node?.value { table = old }
            table[key] = try replacing(keys.dropFirst(), in: table[key], with: value, assignment: assignment)
            return ConfigNode(.table(table), line: node?.line ?? 0)
        case .array(var elements):
            // An element of an array of tables, counted from 0, as in model.layer.0.units.
            guard let index = Int(key), elements.indices.contains(index) else {
                throw Failure.usage(
                    "--set \(assignment): \"\(key)\" is not one of the \(elements.count) elements, counted from 0")
            }
            elements[index] = try replacing(
                keys.dropFirst(), in: elements[index], with: value, assignment: assignment)
            return ConfigNode(.array(elements), line: node?.line ?? 0)
        case .some:
            throw Failure.usage(
                "--set \(assignment): what holds \"\(key)\" is \(node?.kind ?? "a value"), not a table")
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
