import Glibc

/// The text of a file of at most 1 MiB.
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

private func openedFile(_ path: String) throws -> Int32 {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw Failure.failed("\(path): \(String(cString: strerror(errno)))") }
    return descriptor
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
