import Glibc

/// What another program on this machine wrote, and how it ended.
struct ProgramOutput<Output> {
    var output: Output
    /// As `waitpid` gives it.
    var status: Int32

    /// Runs a program to its end. Where `read` throws it is killed, since nobody would empty its pipe any more.
    /// - Parameters:
    ///   - words: its name and its arguments.
    ///   - input: what it reads; nil for nothing.
    ///   - keepsErrors: its error output is read with the other; else it goes nowhere.
    ///   - hint: what to do where the program cannot be started, behind a semicolon.
    ///   - read: reads the descriptor it is given up to the end.
    init(
        of path: String, _ words: [String], input: Int32? = nil, keepsErrors: Bool = false, hint: String = "",
        read: (Int32) throws -> Output
    ) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Failure.failed("pipe: \(String(cString: strerror(errno)))") }
        defer { close(ends[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        } else {
            posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        if keepsErrors {
            posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)
        } else {
            posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        }
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, path, &actions, nil, &arguments, environ)
        close(ends[1])
        guard code == 0 else { throw Failure.failed("\(path): \(String(cString: strerror(code)))\(hint)") }
        let result = Result { try read(ends[0]) }
        if case .failure = result { kill(pid, SIGKILL) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        output = try result.get()
        self.status = status
    }
}
