import Glibc

/// The training program beside mlctl, which alone knows the keys of training sections.
struct Trainer {
    var path: String

    /// Looks beside mlctl, in `../libexec/mld`, then along PATH; nil when it is not installed.
    static func locate(executable: String?, searchPath: String?) -> Trainer? {
        var places: [String] = []
        if let executable, let slash = executable.lastIndex(of: "/") {
            let directory = String(executable[..<slash])
            places = [directory, directory + "/../libexec/mld"]
        }
        // An empty element would mean the working directory: not a place to run programs from unasked.
        places += (searchPath ?? "").split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
        return places.map { $0 + "/mltrain" }.first { access($0, X_OK) == 0 }.map { Trainer(path: $0) }
    }

    /// Runs `mltrain check FILE` here, and returns what it said when it found problems; nil when the file is fine.
    func check(_ file: String) throws -> String? {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Failure.failed("pipe: \(String(cString: strerror(errno)))") }
        defer { close(ends[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)
        let words = [path, "check", file]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, path, &actions, nil, &arguments, environ)
        close(ends[1])
        guard code == 0 else { throw Failure.failed("\(path): \(String(cString: strerror(code)))") }
        let said = Self.readAll(ends[0])
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        if status == 0 { return nil }
        if !said.isEmpty { return said }
        let end = status & 0x7F == 0 ? "status \(status >> 8 & 0xFF)" : "signal \(status & 0x7F)"
        return "\(path) check \(file) ended with \(end)"
    }

    /// Everything up to the end, of which the first 64 KiB are kept.
    private static func readAll(_ descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            if bytes.count < 1 << 16 { bytes.append(contentsOf: chunk[..<count]) }
        }
        while bytes.last == 0x0A { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
