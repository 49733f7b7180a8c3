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
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw Failure.failed("pipe: \(String(cString: strerror(errno)))") }
    defer { close(ends[0]) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // By its descriptor: no name is taken for an option.
    posix_spawn_file_actions_adddup2(&actions, file, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    let words = ["gzip", "-dc"]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { arguments.forEach { free($0) } }
    var pid: pid_t = 0
    let code = posix_spawn(&pid, program, &actions, nil, &arguments, environ)
    close(ends[1])
    guard code == 0 else {
        throw Failure.failed("\(program): \(String(cString: strerror(code))); unpack \(path) first")
    }
    let result = Result { try readBytes(ends[0], path, limit: limit) }
    if case .failure = result { kill(pid, SIGKILL) }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    let bytes = try result.get()
    guard status == 0 else { throw Failure.failed("\(path): the file is damaged, or no gzip file") }
    return bytes
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
