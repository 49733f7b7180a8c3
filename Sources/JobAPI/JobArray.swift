/// Many jobs of one description, told apart by their index: `1-100%8` is the jobs 1 to 100, at most 8 of them at a time.
///
/// Also `0-9:3` (0, 3, 6, 9) and lists such as `1,4,7-9`.
package struct JobArray: Hashable, Sendable {
    package static let highestIndex = 1_000_000_000
    package static let largest = 100_000

    /// As it was written.
    package let text: String
    /// Rising, each once.
    package let indices: [Int]
    /// How many may run at once; nil for no limit.
    package let limit: Int?

    package struct Problem: Error, Hashable, CustomStringConvertible {
        package var description: String
    }

    package init(_ text: String) throws(Problem) {
        self.text = text
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 {
            guard let limit = Int(parts[1]), limit >= 1 else {
                throw Problem(description: "after \"%\" stands how many may run at once, at least 1")
            }
            self.limit = limit
        } else {
            limit = nil
        }
        var found: Set<Int> = []
        var count = 0
        for part in parts[0].split(separator: ",", omittingEmptySubsequences: false) {
            let range = try Self.range(part)
            // Before they are gone through: whoever writes them pays nothing for their length.
            count += range.count
            guard count <= Self.largest else {
                throw Problem(description: "an array has at most \(Self.largest) jobs")
            }
            for index in stride(from: range.first, through: range.last, by: range.step) { found.insert(index) }
        }
        indices = found.sorted()
    }

    private struct Range {
        var first: Int
        var last: Int
        var step: Int
        var count: Int { (last - first) / step + 1 }
    }

    private static func range(_ text: Substring) throws(Problem) -> Range {
        let steps = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let ends = steps[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { Int($0) }
        let step = steps.count == 2 ? Int(steps[1]) : 1
        guard let first = ends[0], let last = ends.count == 2 ? ends[1] : first, let step, step >= 1, first >= 0,
            first <= last, last <= highestIndex
        else {
            throw Problem(description: "\"\(text.prefix(40))\" is not an index or a range such as 1-100 or 0-9:3")
        }
        return Range(first: first, last: last, step: step)
    }
}

extension JobArray: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        do throws(Problem) {
            self = try JobArray(try Self.text(container))
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "array: \(error)")
        }
    }

    private static func text(_ container: any SingleValueDecodingContainer) throws(Problem) -> String {
        guard let text = try? container.decode(String.self), text.utf8.count <= 10_000 else {
            throw Problem(description: "must be a text such as \"1-100%8\"")
        }
        return text
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
