/// A pattern of file names with named fields: `{label}_{speaker}_{take}.wav`.
package struct NamePattern: Hashable, Sendable, CustomStringConvertible {
    private enum Part: Hashable, Sendable {
        case text([UInt8])
        case field(String)
    }

    package let description: String
    private let parts: [Part]

    package var fields: [String] { parts.compactMap { if case .field(let name) = $0 { name } else { nil } } }

    /// - Throws: `content` for braces that do not pair, a field twice, or fields with nothing between them.
    package init(_ pattern: String) throws(DatasetError) {
        var parts: [Part] = []
        var rest = pattern[...]
        while let first = rest.first {
            if first == "{" {
                guard let end = rest.firstIndex(of: "}") else {
                    throw DatasetError(.content, "the pattern \"\(pattern)\" has a { without its }")
                }
                let name = String(rest[rest.index(after: rest.startIndex)..<end])
                guard !name.isEmpty, !name.contains("{") else {
                    throw DatasetError(.content, "the pattern \"\(pattern)\" has a field without a name")
                }
                if case .field = parts.last {
                    throw DatasetError(
                        .content, "the pattern \"\(pattern)\" has nothing between two fields to tell them apart")
                }
                if parts.contains(.field(name)) {
                    throw DatasetError(.content, "the pattern \"\(pattern)\" has the field \"\(name)\" twice")
                }
                parts.append(.field(name))
                rest = rest[rest.index(after: end)...]
            } else {
                let end = rest.firstIndex(of: "{") ?? rest.endIndex
                guard !rest[..<end].contains("}") else {
                    throw DatasetError(.content, "the pattern \"\(pattern)\" has a } without its {")
                }
                parts.append(.text(Array(rest[..<end].utf8)))
                rest = rest[end...]
            }
        }
        self.parts = parts
        description = pattern
    }

    /// One field for the whole name.
    package static let anything = NamePattern(parts: [.field("label")])

    private init(parts: [Part]) {
        self.parts = parts
        description = "{label}"
    }

    /// Whether a name ends as the pattern does, so that it is meant to match.
    package func hasEnding(_ name: String) -> Bool {
        guard case .text(let text) = parts.last else { return true }
        return name.utf8.count >= text.count && name.utf8.suffix(text.count).elementsEqual(text)
    }

    /// The fields of a name; nil if it does not match. Each field takes as little as it can, but something; the last one,
    /// whatever is left.
    package func match(_ name: String) -> [String: String]? {
        let bytes = Array(name.utf8)
        var values: [String: String] = [:]
        var position = 0
        for (index, part) in parts.enumerated() {
            switch part {
            case .text(let text):
                guard bytes[position...].starts(with: text) else { return nil }
                position += text.count
            case .field(let field):
                var end = bytes.count
                if index + 1 < parts.count, case .text(let text) = parts[index + 1] {
                    let last = bytes.count - text.count
                    guard position + 1 <= last else { return nil }
                    if index + 2 == parts.count {
                        end = last
                    } else {
                        guard let found = (position + 1...last).first(where: { bytes[$0...].starts(with: text) })
                        else { return nil }
                        end = found
                    }
                }
                guard end > position else { return nil }
                values[field] = String(decoding: bytes[position..<end], as: UTF8.self)
                position = end
            }
        }
        return position == bytes.count ? values : nil
    }
}
