package import ConfigFile
import Units

extension JobSpec {
    /// Reads a job file (see `docs/job-file.md`).
    ///
    /// - Parameters:
    ///   - text: the TOML.
    ///   - file: how the file is called in messages.
    ///   - directory: absolute; relative paths in the file are taken from here.
    ///   - home: what `~` stands for.
    /// - Throws: every problem of the file, each with its line.
    package static func parse(
        _ text: String, file: String, directory: String, home: String
    ) throws(ConfigProblems) -> JobSpec {
        let table: ConfigTable
        do { table = try TOMLParser.parse(text, file: file) } catch { throw ConfigProblems([error]) }
        return try parse(table, file: file, directory: directory, home: home)
    }

    /// As above, from a document already read (for `--set`).
    package static func parse(
        _ table: ConfigTable, file: String, directory: String, home: String
    ) throws(ConfigProblems) -> JobSpec {
        let collector = ConfigReader.Collector()
        let reader = ConfigReader(table, file: file, collector: collector)
        let paths = PathResolver(directory: directory, home: home)
        var spec = JobSpec()
        spec.name = reader.string("name")
        spec.project = reader.string("project")
        spec.queue = reader.string("queue")
        spec.array = array(reader)
        if let section = reader.table("resources") { spec.resources = resources(section) }
        if let section = reader.table("schedule") { spec.schedule = schedule(section) }
        if let section = reader.table("sandbox") { spec.sandbox = sandbox(section, paths) }
        if spec.sandbox.workdir == nil { spec.sandbox.workdir = directory }
        if let section = reader.table("notify") { spec.notify = notification(section) }
        if let section = reader.table("command") { spec.command = command(section) }
        let sections = ["train", "data", "model"].map { reader.table($0)?.table }
        if let train = sections[0] {
            let data = sections[1].map { paths.absolute($0) }
            spec.train = TrainRequest(train: train, data: data ?? ConfigTable(), model: sections[2] ?? ConfigTable())
        }
        if spec.command != nil, spec.train != nil {
            reader.report("train", "a job has either [command] or [train], not both")
        } else if spec.command == nil, spec.train == nil {
            collector.add(
                ConfigProblem(
                    file: file, line: 1, message: "the job has neither [command] nor [train]",
                    hint: "add [command] with argv = [\"python3\", \"train.py\"]"))
        }
        reader.finish()
        try collector.check()
        return spec
    }

    private static func resources(_ reader: ConfigReader) -> Resources {
        var resources = Resources()
        if let cpus = reader.integer("cpus", in: cpuBounds) { resources.cpus = cpus }
        if let memory = reader.size("memory") {
            if let problem = problem(memory: memory) { reader.report("memory", "\"resources.memory\" \(problem)") }
            resources.memory = memory
        }
        readGPUs(reader, into: &resources)
        if let time = reader.duration("time") {
            if let problem = problem(seconds: time.seconds) { reader.report("time", "\"resources.time\" \(problem)") }
            resources.timeLimit = time.seconds
        }
        reader.finish()
        return resources
    }

    private static func schedule(_ reader: ConfigReader) -> Schedule {
        var schedule = Schedule()
        schedule.notBefore = reader.timestamp("not-before")
        schedule.deadline = reader.timestamp("deadline")
        for text in reader.strings("after") ?? [] {
            if let dependency = Dependency(text) {
                schedule.after.append(dependency)
            } else {
                let conditions = Dependency.Condition.allCases.map(\.rawValue).joined(separator: ", ")
                reader.report(
                    "after", "\"schedule.after\" has \"\(text)\", which is not a job and a condition",
                    hint: "write \"41:succeeded\"; the conditions are \(conditions)")
            }
        }
        if let retries = reader.integer("retries", in: 0...100) { schedule.retries = retries }
        if let delay = reader.duration("retry-delay") {
            if let problem = problem(seconds: delay.seconds) {
                reader.report("retry-delay", "\"schedule.retry-delay\" \(problem)")
            }
            schedule.retryDelay = delay.seconds
        }
        if let interruptible = reader.boolean("interruptible") { schedule.interruptible = interruptible }
        if let time = reader.duration("warn-before") {
            if let problem = problem(seconds: time.seconds) {
                reader.report("warn-before", "\"schedule.warn-before\" \(problem)")
            }
            schedule.warnBefore = time.seconds
        }
        if let text = reader.string("warn-signal") {
            schedule.warnSignal = JobSignal(named: text)
            if schedule.warnSignal == nil {
                reader.report(
                    "warn-signal", "\"schedule.warn-signal\" is \"\(text)\", which is not a signal to warn with",
                    hint: "use one of " + JobSignal.allCases.map(\.rawValue).joined(separator: ", "))
            }
        }
        reader.finish()
        return schedule
    }

    private static func array(_ reader: ConfigReader) -> JobArray? {
        guard let text = reader.string("array") else { return nil }
        do throws(JobArray.Problem) {
            return try JobArray(text)
        } catch {
            reader.report("array", "\"array\": \(error)", hint: "write indices such as \"1-100%8\" or \"1,4,7-9\"")
            return nil
        }
    }

    private static func sandbox(_ reader: ConfigReader, _ paths: PathResolver) -> SandboxRequest {
        let request = SandboxRequest(
            workdir: reader.string("workdir").map(paths.absolute),
            network: reader.boolean("network") ?? false,
            readOnly: (reader.strings("read-only") ?? []).map(paths.absolute),
            readWrite: (reader.strings("read-write") ?? []).map(paths.absolute),
            devices: reader.strings("devices") ?? [],
            maxProcesses: reader.integer("max-processes", in: 1...4_194_304),
            maxFileSize: reader.size("max-file-size"),
            maxOpenFiles: reader.integer("max-open-files", in: 16...1_048_576),
            maxCoreSize: reader.size("max-core-size"))
        if let size = request.maxFileSize, size < .mebibytes(1) {
            reader.report("max-file-size", "\"sandbox.max-file-size\" must be at least 1 MiB")
        }
        reader.finish()
        return request
    }

    private static func command(_ reader: ConfigReader) -> Command {
        let argv = reader.strings("argv")
        if argv == nil, reader.table["argv"] == nil {
            reader.missing("argv", example: "[\"python3\", \"train.py\"]")
        } else if let argv, argv.first?.isEmpty ?? true {
            reader.report("argv", "\"command.argv\" must name a program")
        }
        var env: [String: String] = [:]
        if let section = reader.table("env") {
            for key in section.table.keys { env[key] = section.string(key) }
        }
        reader.finish()
        return Command(argv: argv ?? [], env: env)
    }
}

/// Makes paths of a job file absolute.
struct PathResolver {
    var directory: String
    var home: String

    func absolute(_ path: String) -> String {
        if path == "~" { return home }
        if path.hasPrefix("~/") { return home + path.dropFirst(1) }
        if path.hasPrefix("/") { return path }
        if path == "." { return directory }
        return directory + "/" + (path.hasPrefix("./") ? String(path.dropFirst(2)) : path)
    }

    /// Every key named `path` or ending in `-path` of a `[data]` section.
    func absolute(_ table: ConfigTable) -> ConfigTable {
        var result = table
        for entry in table.entries where entry.key == "path" || entry.key.hasSuffix("-path") {
            if case .string(let path) = entry.node.value {
                result[entry.key] = ConfigNode(.string(absolute(path)), line: entry.node.line)
            }
        }
        return result
    }
}
