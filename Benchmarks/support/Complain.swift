import Foundation

/// A line for people, beside the results.
package func complain(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
