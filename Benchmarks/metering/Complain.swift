import Foundation

/// A line for people, beside the results.
func complain(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
