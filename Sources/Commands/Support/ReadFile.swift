import Glibc

/// The text of a file or pipe of at most 1 MiB.
func readText(_ path: String) throws -> String {
    try utf8(readBytes(path, limit: 1 << 20), path)
}

/// The text of a file, unpacked where its name ends in `.gz`.
func readText(_ path: String, limit: Int) throws -> String {
    try utf8(path.hasSuffix(".gz") ? unpackedBytes(path, limit: limit) : readBytes(path, limit: limit), path)
}

func utf8(_ bytes: [UInt8], _ path: String) throws -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw Failure.failed("\(path): the file is not UTF-8 text")
    }
    return text
}

func readBytes(_ path: String, limit: Int) throws -> [UInt8] {
    let descriptor = try openedFile(path)
    defer { close(descriptor) }
    return try readBytes(descriptor, path, limit: limit)
}

/// What `gzip -dc` makes of a file. It is stopped where that is more than `limit`: a small file can unpack to any size.
func unpackedBytes(_ path: String, limit: Int, program: String = "/usr/bin/gzip") throws -> [UInt8] {
    let file = try openedFile(path)
    defer { close(file) }
    // By its descriptor: no name is taken for an option.
    let unpacked = try ProgramOutput(
        of: program, ["gzip", "-dc"], input: file, hint: "; unpack \(path) first"
    ) { try readBytes($0, path, limit: limit) }
    guard unpacked.status == 0 else { throw Failure.failed("\(path): the file is damaged, or no gzip file") }
    return unpacked.output
}

/// Opens a file, or a pipe to be read to its end. Whatever else there is may have no end, or do something when it is opened.
private func openedFile(_ path: String) throws -> Int32 {
    let kind = try kindOfFile(path) { stat(path, &$0) }
    guard kind == S_IFREG || kind == S_IFIFO else {
        throw Failure.failed("\(path): \(kind == S_IFDIR ? "is a directory" : "is neither a file nor a pipe")")
    }
    // A pipe is waited for: one whose writer has not come yet would look empty.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | (kind == S_IFIFO ? 0 : O_NONBLOCK))
    guard descriptor >= 0 else { throw Failure.failed("\(path): \(String(cString: strerror(errno)))") }
    do {
        guard try kindOfFile(path, { fstat(descriptor, &$0) }) == kind else {
            throw Failure.failed("\(path): another file has taken its place; try again")
        }
        return descriptor
    } catch {
        close(descriptor)
        throw error
    }
}

private func kindOfFile(_ path: String, _ ask: (inout stat) -> Int32) throws -> mode_t {
    var status = stat()
    guard ask(&status) == 0 else { throw Failure.failed("\(path): \(String(cString: strerror(errno)))") }
    return status.st_mode & S_IFMT
}

private func readBytes(_ descriptor: Int32, _ path: String, limit: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = read(descriptor, &chunk, chunk.count)
        if count < 0, errno == EINTR { continue }
        if count < 0 { throw Failure.failed("\(path): \(String(cString: strerror(errno)))") }
        if count == 0 { return bytes }
        bytes.append(contentsOf: chunk[..<count])
        if bytes.count > limit { throw Failure.failed("\(path): the file is larger than \(limit >> 20) MiB") }
    }
}
