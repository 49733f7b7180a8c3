package import ConfigFile
import Units

extension PolicyCheck {
    /// What a policy asks of a machine that it does not have: warnings, for the text may be meant for a bigger one.
    package static func warnings(of set: PolicySet, on machine: MachineCapacity) -> [ConfigProblem] {
        let usable = set.usable(of: machine)
        var found: [ConfigProblem] = []
        func warn(_ source: RuleReference?, _ message: String, _ hint: String) {
            found.append(
                ConfigProblem(file: source?.file ?? "", line: source?.line ?? 0, message: message, hint: hint))
        }
        func tooMuch(_ what: String, _ has: String) -> String { "\(what); jobs have at most \(has) on this machine" }
        if usable.cpus < 1 || usable.memory < .mebibytes(1) {
            warn(
                set.machine.reserveCpus.source ?? set.machine.reserveMemory.source,
                "the reserves leave no CPU or no memory for jobs",
                "lower machine.reserve-cpus or machine.reserve-memory")
        }
        for reservation in set.reservations {
            let name = "reservation \"\(reservation.name)\""
            let hint = "keep no more than there is"
            if reservation.cpus.value > usable.cpus {
                warn(
                    reservation.cpus.source,
                    tooMuch("\(name) keeps \(counted(reservation.cpus.value, "cpu"))", "\(usable.cpus)"), hint)
            }
            if reservation.gpus.value > usable.gpus {
                warn(
                    reservation.gpus.source,
                    tooMuch("\(name) keeps \(counted(reservation.gpus.value, "gpu"))", "\(usable.gpus)"), hint)
            }
            if reservation.memory.value > usable.memory {
                warn(
                    reservation.memory.source, tooMuch("\(name) keeps \(reservation.memory.value)", "\(usable.memory)"),
                    hint)
            }
        }
        if usable.gpus == 0, let source = set.machine.gpuShare.source, set.machine.gpuShare.value != .off {
            warn(source, "\"machine.gpu-share\" has no effect: there is no GPU for jobs", "remove it")
        }
        return found
    }
}
