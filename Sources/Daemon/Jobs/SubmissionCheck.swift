import Glibc
import JobAPI
import Units

/// What can be known to be wrong with a job before it is accepted, whoever sent it.
enum SubmissionCheck {
    /// - Parameter mayRead: the uid on whose behalf files may be looked at, or nil when the daemon must not look (it has
    ///   rights the submitter may lack; the client checks then).
    static func check(_ spec: JobSpec, mayRead: UInt32?) throws(APIError) {
        let invalid = { (message: String, hint: String?) in APIError(.invalidRequest, message, hint: hint) }
        guard (spec.command == nil) != (spec.train == nil) else {
            throw invalid("a job has exactly one of \"command\" and \"train\"", nil)
        }
        if let command = spec.command {
            guard let program = command.argv.first, !program.isEmpty else {
                throw invalid("\"command.argv\" must name a program", "for example [\"python3\", \"train.py\"]")
            }
            let texts = command.argv + command.env.keys + command.env.values
            guard texts.allSatisfy({ !$0.utf8.contains(0) }) else {
                throw invalid("arguments and environment must not hold NUL bytes", nil)
            }
            try checkSize(command, paths: spec.sandbox.readOnly.count + spec.sandbox.readWrite.count)
            guard command.env.keys.allSatisfy({ !$0.isEmpty && !$0.contains("=") }) else {
                throw invalid("names in \"command.env\" must not be empty or hold \"=\"", nil)
            }
        }
        if let problem = amountProblem(spec) { throw invalid(problem, nil) }
        for name in [spec.name, spec.project, spec.queue].compactMap(\.self) {
            guard name.utf8.count <= 200 else { throw invalid("names are at most 200 bytes long", nil) }
            // Some of these end a text in the ledger, others change what a terminal shows.
            guard !name.hasControlCharacters else {
                throw invalid("names must not hold control characters", "leave out line breaks, tabs and the like")
            }
        }
        let paths = spec.sandbox.readOnly + spec.sandbox.readWrite + [spec.sandbox.workdir].compactMap(\.self)
        try checkSize(ofPaths: paths + spec.sandbox.devices + (spec.train?.dataPaths ?? []).map(\.path))
        for path in paths where !path.hasPrefix("/") || path.utf8.contains(0) || path.utf8.count > 4000 {
            throw invalid("\"\(path.prefix(100))\" must be an absolute path", nil)
        }
        if let mayRead { try checkFiles(spec, uid: mayRead, paths: paths) }
    }

    /// Each is followed as the submitter, mounted and looked at again. Nobody names so many by hand: what they have in common is a
    /// directory.
    static let mostPaths = 256
    static let mostPathBytes = 128 << 10

    private static func checkSize(ofPaths paths: [String]) throws(APIError) {
        let hint = "name a directory that holds them"
        guard paths.count <= mostPaths else {
            throw APIError(
                .invalidRequest,
                "the job names \(paths.count) paths for its sandbox and data; at most \(mostPaths) can be",
                hint: hint)
        }
        let bytes = paths.reduce(0) { $0 + $1.utf8.count }
        guard bytes <= mostPathBytes else {
            throw APIError(
                .invalidRequest,
                "the paths the job names for its sandbox and data take \(bytes) bytes; together they may take"
                    + " \(mostPathBytes)", hint: hint)
        }
    }

    /// Amounts and times that no machine has, or that are none.
    private static func amountProblem(_ spec: JobSpec) -> String? {
        let (resources, schedule) = (spec.resources, spec.schedule)
        for (key, value, bounds) in [
            ("resources.cpus", resources.cpus, JobSpec.cpuBounds),
            ("resources.gpus", resources.gpus, JobSpec.gpuBounds), ("schedule.retries", schedule.retries, 0...100),
        ] where !bounds.contains(value) {
            return "\"\(key)\" is \(value); it must be from \(bounds.lowerBound) to \(bounds.upperBound)"
        }
        if let problem = JobSpec.problem(memory: resources.memory) { return "\"resources.memory\" \(problem)" }
        for (key, seconds) in [
            ("resources.time", resources.timeLimit), ("schedule.retry-delay", schedule.retryDelay),
            ("schedule.warn-before", schedule.warnBefore),
        ] as [(String, Double?)] {
            if let problem = seconds.flatMap({ JobSpec.problem(seconds: $0) }) { return "\"\(key)\" \(problem)" }
        }
        return nil
    }

    /// Programs and arguments that bubblewrap takes together are 9,000; the rest is for what builds the sandbox.
    static let mostArguments = 8000
    /// The kernel takes 32 pages of 4 KiB for one, its closing NUL included.
    static let longestArgument = (128 << 10) - 1

    /// What no system call that starts a program would take. Otherwise some link of the chain to the job would fail, and not
    /// know whose arguments are too long.
    private static func checkSize(_ command: JobSpec.Command, paths: Int) throws(APIError) {
        let hint = "put them into a file that the command reads"
        let invalid = { (message: String) in APIError(.invalidRequest, message, hint: hint) }
        // A path to bind is mounted, made room for, verified and granted.
        let most = max(1, mostArguments - 20 * paths)
        guard command.argv.count <= most else {
            throw invalid("\"command.argv\" has \(command.argv.count) arguments; at most \(most) can be passed")
        }
        if let index = command.argv.firstIndex(where: { $0.utf8.count > longestArgument }) {
            throw invalid(
                "argument \(index) of \"command.argv\" is \(command.argv[index].utf8.count) bytes long; the kernel takes"
                    + " \(longestArgument)")
        }
        for (name, value) in command.env where name.utf8.count + 1 + value.utf8.count > longestArgument {
            throw invalid(
                "\"\(name.prefix(40))\" of \"command.env\" is \(value.utf8.count) bytes long; with its name the kernel takes"
                    + " \(longestArgument)")
        }
        let texts = command.argv.map(\.utf8.count) + command.env.map { $0.key.utf8.count + 1 + $0.value.utf8.count }
        // Each is ended by a NUL and pointed to. A quarter is for what comes before the job's command in the same call.
        let bytes = texts.reduce(0) { $0 + $1 + 1 + MemoryLayout<Int>.size }
        let limit = max(sysconf(Int32(_SC_ARG_MAX)), 128 << 10) / 4 * 3
        guard bytes <= limit else {
            throw invalid(
                "\"command.argv\" and \"command.env\" take \(bytes) bytes together; this machine can pass \(limit)")
        }
    }

    /// Files are looked at only in user mode, where the daemon is the submitter.
    private static func checkFiles(_ spec: JobSpec, uid: UInt32, paths: [String]) throws(APIError) {
        guard uid == geteuid() || uid == 0 else { return }
        for path in paths where access(path, F_OK) != 0 {
            throw APIError(
                .invalidRequest, "\(path): \(errnoText(errno))", hint: "the job's sandbox needs it; create it first")
        }
        for path in spec.sandbox.readWrite + [spec.sandbox.workdir].compactMap(\.self) where access(path, W_OK) != 0 {
            throw APIError(
                .invalidRequest, "\(path) is not writable: \(errnoText(errno))",
                hint: "choose another directory, or bind it read-only")
        }
        guard let train = spec.train else { return }
        for (key, path) in train.dataPaths where access(path, R_OK) != 0 {
            throw APIError(
                .invalidRequest, "the data set \(path) cannot be read: \(errnoText(errno))",
                hint: "check [data] \(key)")
        }
    }
}

extension String {
    /// NUL, line breaks, escapes: what is no part of a name.
    var hasControlCharacters: Bool {
        unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
    }
}
