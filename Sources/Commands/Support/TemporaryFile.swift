import FoundationEssentials
import Glibc

/// A file of this user's alone, removed with the value.
final class TemporaryFile {
    let path: String

    init(_ contents: Data, suffix: String) throws {
        var template = Array("/tmp/mlctl-XXXXXX\(suffix)".utf8CString)
        let descriptor = mkstemps(&template, Int32(suffix.utf8.count))
        guard descriptor >= 0 else { throw Failure.failed("cannot write to /tmp: \(String(cString: strerror(errno)))") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { close(descriptor) }
        let bytes = Array(contents)
        guard write(descriptor, bytes, bytes.count) == bytes.count else {
            throw Failure.failed("cannot write \(path): \(String(cString: strerror(errno)))")
        }
    }

    deinit { unlink(path) }
}
