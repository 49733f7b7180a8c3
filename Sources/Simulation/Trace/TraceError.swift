import Units

/// One thing wrong with a trace, said so that a person can mend it. Reading stops at the first: a file of a million lines may
/// have a million.
package struct TraceError: Error, Hashable, Sendable, CustomStringConvertible {
    package var file: String
    /// 1-based; 0 for the file as a whole.
    package var line: Int
    package var message: String
    /// What to do about it.
    package var hint: String?

    package init(file: String, line: Int, _ message: String, hint: String? = nil) {
        self.file = file
        self.line = line
        self.message = message
        self.hint = hint
    }

    /// `jobs.csv:12: duration_min is "x", which is not a number; write minutes, such as 90`
    package var description: String {
        let place = line > 0 ? "\(file):\(line): " : "\(file): "
        return place + message + (hint.map { "; " + $0 } ?? "")
    }
}

/// The name among `names` that `word` was probably meant to be.
func nearest(_ word: String, among names: [String]) -> String? {
    let wanted = Array(word.lowercased().utf8.prefix(64))
    let distances = names.map { (name: $0, distance: editDistance(wanted, Array($0.utf8))) }
    guard let best = distances.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(1, max(wanted.count, best.name.utf8.count) / 3) ? best.name : nil
}

/// A piece of a hostile text for a message: short, on one line, without control characters.
func shown(_ text: String) -> String {
    let plain = text.unicodeScalars.prefix(60).map { scalar in
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? "?" : String(scalar)
    }
    return plain.joined() + (text.unicodeScalars.count > 60 ? "..." : "")
}
