package import ConfigFile
import Datasets
import FoundationEssentials
import Glibc
package import JobAPI
import Units

extension TrainingPlan {
    /// Reads a job file: TOML as a person writes it, or, with the suffix `.json`, a job as the API carries it.
    ///
    /// - Parameter assignments: `key.path=VALUE`, each of which changes the job (TOML only).
    /// - Throws: every problem of the file, each with its line.
    package static func load(_ path: String, assignments: [String] = []) throws(ConfigProblems) -> TrainingPlan {
        let bytes: [UInt8]
        do {
            // The TOML reader has a limit of its own; this one keeps a wrong path from filling the memory.
            bytes = try FileBytes.read(path, limit: 16 << 20)
        } catch {
            throw ConfigProblems([ConfigProblem(file: path, line: 0, message: error.message)])
        }
        let spec: JobSpec
        if path.hasSuffix(".json") {
            do {
                spec = try JSON.decode(JobSpec.self, from: FoundationEssentials.Data(bytes))
            } catch {
                throw ConfigProblems([ConfigProblem(file: path, line: 0, message: "not a job in JSON: \(error)")])
            }
        } else {
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw ConfigProblems([ConfigProblem(file: path, line: 0, message: "not UTF-8 text")])
            }
            var table: ConfigTable
            do { table = try TOMLParser.parse(text, file: path) } catch { throw ConfigProblems([error]) }
            for assignment in assignments {
                do { try table.assign(assignment) } catch {
                    throw ConfigProblems([ConfigProblem(file: path, line: 0, message: error.description)])
                }
            }
            spec = try JobSpec.parse(
                table, file: path, directory: directory(of: path), home: environment("HOME") ?? "/")
        }
        return try parse(spec, file: path)
    }

    /// - Parameter file: how the job is called in messages.
    package static func parse(_ spec: JobSpec, file: String) throws(ConfigProblems) -> TrainingPlan {
        guard let request = spec.train else {
            throw ConfigProblems([
                ConfigProblem(
                    file: file, line: 0, message: "the job has no [train] section",
                    hint: "mltrain runs training jobs only")
            ])
        }
        let collector = ConfigReader.Collector()
        func reader(_ table: ConfigTable, _ name: String) -> ConfigReader {
            ConfigReader(table, name: name, file: file, collector: collector)
        }
        var plan = TrainingPlan(file: file)
        plan.name = spec.name
        plan.cpus = spec.resources.cpus
        plan.memory = spec.resources.memory
        plan.identity = fingerprint(request)
        // The model first: on what it is depends what can be said of its training.
        plan.readModel(reader(request.model, "model"))
        plan.readTrain(reader(request.train, "train"))
        plan.readData(reader(request.data, "data"))
        try collector.check()
        return plan
    }

    /// A fingerprint of everything in the job that its weights depend on (FNV-1a, 64 bits): two jobs with the same one
    /// compute the same steps. How long and on how many threads is not part of it.
    private static func fingerprint(_ request: JobSpec.TrainRequest) -> String {
        var request = request
        var train = ConfigTable()
        for entry in request.train.entries where !["epochs", "threads", "checkpoint-every"].contains(entry.key) {
            train[entry.key] = ConfigNode(entry.node.value)
        }
        request.train = train
        // Encoding a job that was decoded cannot fail; should it, no checkpoint of it is ever gone on from.
        guard let text = try? JSON.text(request) else { return "?" }
        let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }

    /// The absolute directory a job file lies in.
    private static func directory(of path: String) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let directory = parts.joined(separator: "/")
        if path.hasPrefix("/") { return directory.isEmpty ? "/" : directory }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let current = getcwd(&buffer, buffer.count).map { String(cString: $0) } ?? "/"
        return directory.isEmpty || directory == "." ? current : current + "/" + directory
    }
}

/// A variable of the environment.
package func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
