/// What is wrong with a data set. Files come from anywhere: all of this is expected, none of it traps.
package struct DatasetError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// It is not there or cannot be read.
        case file
        /// It does not follow its format, or is damaged.
        case format
        /// It is larger than may be read into memory.
        case size
        /// Its parts do not fit together, such as more images than labels.
        case content
    }

    package var code: Code
    package var message: String
    package var path: String?
    /// From 1, for files with lines.
    package var line: Int?

    package init(_ code: Code, _ message: String, path: String? = nil, line: Int? = nil) {
        self.code = code
        self.message = message
        self.path = path
        self.line = line
    }

    package var description: String {
        guard let path else { return message }
        return path + (line.map { ":\($0)" } ?? "") + ": " + message
    }
}
