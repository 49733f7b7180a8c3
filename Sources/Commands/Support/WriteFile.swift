import Glibc

/// Writes a file anew.
func writeFile(_ text: String, to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    func failure() -> Failure { .failed("\(path): \(String(cString: strerror(errno)))") }
    guard descriptor >= 0 else { throw failure() }
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else {
            let failure = failure()
            close(descriptor)
            throw failure
        }
        rest = rest.dropFirst(count)
    }
    // Some file systems tell only now that there was no room.
    guard close(descriptor) == 0 else { throw failure() }
}
