import Foundation
import Testing

/// A file of arrays that another program computed: `{"name": {"shape": [2, 3], "values": [...]}}`.
struct GoldenFile {
    private struct Entry: Decodable {
        var shape: [Int]
        var values: [Float]
    }
    private let arrays: [String: Entry]

    /// - Parameter name: of a file in `Golden/`, without `.json`.
    init(_ name: String) throws {
        let url = try #require(Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Golden"))
        arrays = try JSONDecoder().decode([String: Entry].self, from: try Data(contentsOf: url))
    }

    func values(_ name: String) throws -> [Float] { try #require(arrays[name]).values }
    func shape(_ name: String) throws -> [Int] { try #require(arrays[name]).shape }
}
