import ArgumentParser
import ConfigFile
import JobAPI

/// A job as options describe it: the keys of a job file.
struct JobOptions: ParsableArguments {
    @Option(help: "The job's name. Default: the program's.") var name: String?
    @Option(help: "The project its energy is booked to.") var project: String?
    @Option(help: "The queue it waits in.") var queue: String?
    @Option(help: "CPU cores. Default: 1.") var cpus: Int?
    @Option(help: ArgumentHelp("Memory, such as \"2 GiB\". Default: 1 GiB.", valueName: "size")) var memory: String?
    @Option(help: ArgumentHelp("The longest it may run, such as \"1 h\".", valueName: "duration")) var time: String?
    @Option(help: "GPUs. Default: 0, or 1 with one of the next three.") var gpus: Int?
    @Option(
        help: ArgumentHelp(
            "What it needs of each GPU's memory, such as \"8 GiB\". Others may have the rest, if the policy shares GPUs.",
            valueName: "size"))
    var gpuMemory: String?
    @Option(help: ArgumentHelp("Words of the name of its GPUs, such as A100.", valueName: "model")) var gpuModel:
        String?
    @Flag(help: "Let nobody else have its GPUs, whatever memory it needs.") var gpuAlone = false
    @Option(help: ArgumentHelp("Its working directory, writable. Default: this one.", valueName: "path"))
    var workdir: String?
    @Flag(help: "Let it use the network.") var network = false
    @Option(help: ArgumentHelp("A path it may read; may be repeated.", valueName: "path")) var readOnly: [String] = []
    @Option(help: ArgumentHelp("A path it may write; may be repeated.", valueName: "path")) var readWrite: [String] = []
    @Option(help: ArgumentHelp("A device below /dev it may use; may be repeated.", valueName: "path"))
    var device: [String] = []
    @Option(
        help: ArgumentHelp(
            "Start after this job has come to succeeded (the default), failed or ended; may be repeated.",
            valueName: "id[:state]"))
    var after: [String] = []
    @Option(help: "How often to start it again after a failure. Default: 0.") var retries: Int?
    @Option(
        help: ArgumentHelp(
            "It shall have ended by then, and may wait for a better time until it must start: RFC 3339, or from now as in \"8 h\".",
            valueName: "time"))
    var by: Deadline?
    @Flag(help: "It may be stopped and started again, as when the machine restarts.") var interruptible = false
    @Option(
        help: ArgumentHelp("A variable for it; NAME alone passes yours on. May be repeated.", valueName: "name=value"))
    var env: [String] = []
    @Argument(parsing: .postTerminator, help: ArgumentHelp("The command, after --.", valueName: "command"))
    var command: [String] = []

    /// The same keys a job file has, read by the same rules.
    func spec(_ context: Context) throws -> JobSpec {
        var table = ConfigTable()
        func set(_ key: String, _ value: ConfigNode.Value?) { if let value { table[key] = ConfigNode(value) } }
        func sub(_ values: [(String, ConfigNode.Value?)]) -> ConfigNode.Value {
            var inner = ConfigTable()
            for (key, value) in values { if let value { inner[key] = ConfigNode(value) } }
            return .table(inner)
        }
        func list(_ texts: [String]) -> ConfigNode.Value? {
            texts.isEmpty ? nil : .array(texts.map { ConfigNode(.string($0)) })
        }
        set("name", name.map { .string($0) })
        set("project", project.map { .string($0) })
        set("queue", queue.map { .string($0) })
        set(
            "resources",
            sub([
                ("cpus", cpus.map { .integer(Int64($0)) }), ("memory", memory.map { .string($0) }),
                ("gpus", gpuTable(sub)), ("time", time.map { .string($0) }),
            ]))
        set(
            "schedule",
            sub([
                ("deadline", by.map { .timestamp($0.timestamp(now: context.now())) }),
                ("after", list(after)), ("retries", retries.map { .integer(Int64($0)) }),
                ("interruptible", interruptible ? .boolean(true) : nil),
            ]))
        set(
            "sandbox",
            sub([
                ("workdir", workdir.map { .string($0) }), ("network", .boolean(network)),
                ("read-only", list(readOnly)), ("read-write", list(readWrite)), ("devices", list(device)),
            ]))
        let variables = try variables(context)
        set("command", sub([("argv", list(command)), ("env", sub(variables.map { ($0.key, .string($0.value)) }))]))
        do {
            return try JobSpec.parse(table, file: "", directory: context.directory, home: context.home)
        } catch {
            throw Failure.usage(error.description)
        }
    }

    /// The number alone where nothing is said of each.
    private func gpuTable(_ table: ([(String, ConfigNode.Value?)]) -> ConfigNode.Value) -> ConfigNode.Value? {
        let count = gpus.map { ConfigNode.Value.integer(Int64($0)) }
        guard gpuMemory != nil || gpuModel != nil || gpuAlone else { return count }
        return table([
            ("count", count), ("memory", gpuMemory.map { .string($0) }), ("model", gpuModel.map { .string($0) }),
            ("share", gpuAlone ? .boolean(false) : nil),
        ])
    }

    private func variables(_ context: Context) throws -> [String: String] {
        var result: [String: String] = [:]
        for entry in env {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let name = parts.first, !name.isEmpty else {
                throw Failure.usage("--env \(entry): a variable is written NAME=VALUE")
            }
            guard let value = parts.count == 2 ? parts[1] : context.environment[name] else {
                throw Failure.usage("--env \(name): there is no such variable here; write NAME=VALUE to give it one")
            }
            result[name] = value
        }
        return result
    }
}
