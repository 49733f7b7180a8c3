import Glibc

/// A job's output: two pipes and two logs, or one of each where both go to the same file.
struct JobOutput {
    private var pipes: [OutputPipe] = []
    private var logs: [JobLog] = []
    private let names: [String]
    private let limit: Int64
    /// Of the size at which copying is fastest: it stays in the processor's cache.
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 4096)
    /// When losses were last told of.
    private var toldAt = -Double.infinity

    /// Takes over the logs, which are this process's standard output and error.
    init(_ options: SuperviseOptions) throws(Failure) {
        limit = options.logLimit
        var (first, second) = (stat(), stat())
        fstat(STDOUT_FILENO, &first)
        fstat(STDERR_FILENO, &second)
        let isShared = first.st_dev == second.st_dev && first.st_ino == second.st_ino
        var streams = [(STDERR_FILENO, options.stderr)]
        if !isShared { streams.insert((STDOUT_FILENO, options.stdout), at: 0) }
        names = isShared ? ["output"] : ["stdout", "stderr"]
        for (file, path) in streams {
            logs.append(JobLog(file: file, path: path, limit: limit))
            pipes.append(try OutputPipe(owner: options.logOwner))
        }
    }

    /// What becomes the job's standard output and error.
    var writers: [Int32] { [pipes[0].writer, pipes[pipes.count - 1].writer] }

    mutating func closeWriters() {
        for index in pipes.indices { pipes[index].closeWriter() }
    }

    /// What to wait for.
    var descriptors: [Int32] { pipes.filter { !$0.isClosed }.map(\.reader) }

    mutating func drain() {
        for index in pipes.indices where !pipes[index].isClosed { pipes[index].drain(into: &logs[index], buffer) }
        if logs.contains(where: { $0.untold > 0 }), !logs.contains(where: \.isLosing) { tellLosses() }
    }

    /// After the end of everything that could write.
    mutating func finish() {
        for index in pipes.indices where !pipes[index].isClosed { pipes[index].drainRest(into: &logs[index], buffer) }
        toldAt = -Double.infinity
        tellLosses()
        for (log, name) in zip(logs, names) where log.dropped > 0 {
            note("\(log.dropped) bytes from the beginning of \(name) were dropped: a log keeps at most \(limit) bytes")
        }
    }

    /// A line of ours in the job's error log.
    mutating func note(_ text: String) {
        _ = logs[logs.count - 1].note(text)
    }

    /// Once there is room again, what there was no room for; a disk that is full most of the time is not told of at each gap.
    private mutating func tellLosses() {
        let bytes = logs.reduce(0) { $0 + $1.untold }
        let now = Clock.monotonic()
        guard bytes > 0, now - toldAt >= 10, let code = logs.first(where: { $0.untold > 0 })?.problem else { return }
        let reason = String(cString: strerror(code))
        let words = reason.prefix(1).lowercased() + reason.dropFirst()
        guard logs[logs.count - 1].note("\(bytes) bytes of output lost: \(words)") else { return }
        toldAt = now
        for index in logs.indices { logs[index].markTold() }
    }

    var lost: Int64 { logs.reduce(0) { $0 + $1.lost } }
    var dropped: Int64 { logs.reduce(0) { $0 + $1.dropped } }

    /// The last the job, or the sandbox around it, wrote to its error output, on one line.
    var lastErrors: String {
        String(decoding: pipes[pipes.count - 1].tail, as: UTF8.self).split(separator: "\n").joined(separator: "; ")
    }
}
