import Carbon
import ConfigFile
import Glibc
import LinuxSystem
import Logging
import Policy
import Units

/// The admin's policy directory.
enum PolicyFiles {
    /// The policy of all `*.toml` files in name order, and their text for the record; the built-in policy where there are
    /// none.
    /// - Parameter mustExist: that there is no such directory is a mistake, not a policy without files.
    static func load(_ directory: String, mustExist: Bool) throws -> (policy: PolicySet, text: String) {
        let files = try read(directory, mustExist: mustExist)
        let text = files.map { "# \($0.name)\n\($0.text)" }.joined(separator: "\n")
        return (
            files.isEmpty ? PolicySet.builtIn : try PolicySet.load(files: files, zones: CarbonTable.find), text
        )
    }

    /// False only where there is nothing of that name: what cannot be looked at may well be there.
    static func exist(in directory: String) -> Bool { access(directory, F_OK) == 0 || errno != ENOENT }

    /// What is right in the files and will not do what it seems to: of itself, on this machine, or any more.
    static func warnings(of policy: PolicySet, on machine: MachineCapacity) -> [ConfigProblem] {
        PolicyCheck.warnings(of: policy, at: .now()) + PolicyCheck.warnings(of: policy, on: machine)
    }

    static func tell(of policy: PolicySet, on machine: MachineCapacity, _ logger: Logger) {
        for problem in warnings(of: policy, on: machine) { logger.warning("policy: \(problem)") }
    }

    private static func read(_ directory: String, mustExist: Bool) throws -> [(name: String, text: String)] {
        guard exist(in: directory) else {
            if !mustExist { return [] }
            throw DaemonError(
                stage: "policy", message: "there is no policy directory \(directory)",
                hint: "make it, if need be an empty one: then the built-in policy holds")
        }
        let names = try SystemFile.names(in: directory)
        return try names.filter { $0.hasSuffix(".toml") && !$0.hasPrefix(".") }.map { name in
            (directory + "/" + name, try SystemFile.text(directory + "/" + name, limit: 1 << 20))
        }
    }
}
