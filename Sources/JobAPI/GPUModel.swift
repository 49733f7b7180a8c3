/// Which cards are meant by a model that a job names.
///
/// The words of it have to stand together in the name that the driver gives a card: `A100`, `a100-sxm4` and `A100 SXM4` all mean
/// `NVIDIA A100-SXM4-40GB`, and `A10` does not. Capitals do not count; what is neither letter nor digit parts words.
package struct GPUModel: Hashable, Sendable {
    private let words: [[UInt8]]

    package init(_ text: String) { words = Self.words(of: text) }

    package func matches(_ name: String) -> Bool {
        guard !words.isEmpty else { return false }
        let others = Self.words(of: name)
        guard others.count >= words.count else { return false }
        return (0...(others.count - words.count)).contains { others[$0..<($0 + words.count)].elementsEqual(words) }
    }

    /// The same for all texts that mean the same cards.
    package var key: [UInt8] { Array(words.joined(separator: [UInt8(ascii: " ")])) }

    /// What keeps a text from being a model's name; nil for one that may be.
    package static func problem(_ text: String) -> String? {
        if text.utf8.count > 100 { return "is longer than 100 bytes" }
        let isPlain = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
        guard isPlain else { return "holds control characters" }
        return words(of: text).isEmpty ? "has no letters or digits; write for example \"A100\"" : nil
    }

    private static func words(of text: String) -> [[UInt8]] {
        text.utf8.prefix(256).split { byte in
            // Letters beyond ASCII are parts of words.
            !(byte >= 0x80 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
                || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20)
        }.map { word in word.map { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 ? $0 | 0x20 : $0 } }
    }
}
