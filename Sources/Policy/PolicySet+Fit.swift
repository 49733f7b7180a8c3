import JobAPI
import Units

// The refusals that need no rule: wrong requests, and requests beyond the machine or the queue.

extension PolicySet {
    private static let longestTime = 1000 * 31_557_600.0

    /// What a job file could not say but a request on the wire can.
    func malformed(_ spec: JobSpec) -> Refusal? {
        let resources = spec.resources
        if resources.cpus < 1 { return Refusal("asks for \(resources.cpus) cpus", hint: "ask for at least 1") }
        if resources.gpus < 0 { return Refusal("asks for \(resources.gpus) gpus", hint: "ask for 0 or more") }
        if let problem = malformedGPUs(resources) { return problem }
        if resources.memory < .mebibytes(1) {
            return Refusal("asks for \(resources.memory) of memory", hint: "ask for at least 1 MiB")
        }
        if let time = resources.timeLimit, !(time >= 1 && time <= Self.longestTime) {
            return Refusal("asks for a time limit of \(time) s", hint: "ask for 1 s to 1000 years")
        }
        if (spec.command == nil) == (spec.train == nil) {
            return Refusal("has neither a command nor a training section, or both", hint: "give one of them")
        }
        if let command = spec.command, command.argv.first?.isEmpty ?? true {
            return Refusal("its command names no program", hint: "give command.argv")
        }
        if let project = spec.project {
            let isPlain = project.unicodeScalars.allSatisfy { $0.value > 0x20 && !(0x7F...0x9F).contains($0.value) }
            if !isPlain || !(1...64).contains(project.utf8.count) {
                return Refusal(
                    "its project \"\(printable(project))\" is not a name",
                    hint: "use 1 to 64 bytes without spaces or control characters")
            }
        }
        return nil
    }

    func tooLarge(_ asked: JobSpec.Resources, for machine: MachineCapacity) -> Refusal? {
        let largest = usable(of: machine)
        var excess: [String] = []
        var reserve: RuleReference?
        var notes: [String] = []
        if asked.cpus > largest.cpus {
            excess.append(counted(asked.cpus, "cpu"))
            if asked.cpus <= machine.cpus {
                reserve = self.machine.reserveCpus.source
                notes.append(
                    "\(counted(self.machine.reserveCpus.value, "cpu")) reserved by machine.reserve-cpus"
                        + " (\(self.machine.reserveCpus.place))")
            }
        }
        if asked.memory > largest.memory {
            excess.append("\(asked.memory)")
            if asked.memory <= machine.memory {
                reserve = reserve ?? self.machine.reserveMemory.source
                notes.append(
                    "\(self.machine.reserveMemory.value) reserved by machine.reserve-memory"
                        + " (\(self.machine.reserveMemory.place))")
            }
        }
        if asked.gpus > largest.gpus { excess.append(counted(asked.gpus, "gpu")) }
        if excess.isEmpty { return missing(asked, of: largest) }
        let gpus = largest.gpus > 0 || asked.gpus > 0 ? ", \(counted(largest.gpus, "gpu"))" : ""
        let memory = machine.memory >= MachineCapacity.unknownMemory ? "" : ", \(largest.memory)"
        let size = counted(largest.cpus, "cpu") + memory + gpus
        return Refusal(
            "asks for \(excess.joined(separator: " and ")); the largest job here is \(size)"
                + (notes.isEmpty ? "" : ", with " + notes.joined(separator: " and ")),
            rule: reserve,
            hint: largest.cpus < 1 || largest.memory < .mebibytes(1)
                ? "the policy reserves the whole machine; ask an admin" : "ask for at most \(size)")
    }

    func tooMuch(_ asked: JobSpec.Resources, for queue: Queue) -> Refusal? {
        if let limit = queue.maxTime.value, let time = asked.timeLimit, time > limit.seconds {
            let others = queues.filter { $0.maxTime.value.map { time <= $0.seconds } ?? true }.map(\.name)
            return Refusal(
                "asks for \(Duration.seconds(time).brief); queue \"\(queue.name)\" allows at most \(limit.brief)"
                    + " (queue.\(queue.name).max-time, \(queue.maxTime.place))",
                rule: queue.maxTime.source, hint: alternative("time = \"\(limit.brief)\"", others))
        }
        if let limit = queue.maxCpusPerJob.value, asked.cpus > limit {
            let others = queues.filter { $0.maxCpusPerJob.value.map { asked.cpus <= $0 } ?? true }.map(\.name)
            return Refusal(
                "asks for \(counted(asked.cpus, "cpu")); queue \"\(queue.name)\" allows at most \(limit) per job"
                    + " (queue.\(queue.name).max-cpus-per-job, \(queue.maxCpusPerJob.place))",
                rule: queue.maxCpusPerJob.source, hint: alternative("cpus = \(limit)", others))
        }
        return nil
    }

    /// More than all jobs of a user or project may have together: such a job could never start.
    func beyondLimits(_ asked: JobSpec.Resources) -> Refusal? {
        let all: [(key: String, thing: String, asked: Int, limit: Setting<Int?>)] = [
            ("max-cpus-per-user", "cpu", asked.cpus, limits.maxCpusPerUser),
            ("max-cpus-per-project", "cpu", asked.cpus, limits.maxCpusPerProject),
            ("max-gpus-per-user", "gpu", asked.gpus, limits.maxGpusPerUser),
            ("max-gpus-per-project", "gpu", asked.gpus, limits.maxGpusPerProject),
        ]
        for (key, thing, asked, limit) in all {
            guard let most = limit.value, asked > most else { continue }
            return Refusal(
                "asks for \(counted(asked, thing)); limits.\(key) is \(most) (\(limit.place))", rule: limit.source,
                hint: "ask for \(thing)s = \(most) or less")
        }
        return nil
    }

    private func alternative(_ change: String, _ queues: [String]) -> String {
        "ask for \(change)" + (queues.isEmpty ? "" : ", or use queue " + queues.joined(separator: " or "))
    }
}

/// `1 cpu`, `4 cpus`.
package func counted(_ count: Int, _ thing: String) -> String { "\(count) \(thing)\(count == 1 ? "" : "s")" }
