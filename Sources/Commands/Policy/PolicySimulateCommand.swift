import ArgumentParser
import JobAPI
import Policy
import Reporting
import Simulation

struct PolicySimulateCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Replay jobs of the past under a policy and under the one in force, or another.",
        discussion: """
            The trace passes through mld's own scheduler; waits, energy, carbon and missed deadlines stand beside each other. \
            "Saved" is against each job having run at its submission. The trace "ledger" is what the daemon's own machine ran; \
            of files nobody needs a daemon.

            EXAMPLE
              mlctl policy simulate --policy new.toml --trace ledger --since "30 d"
              mlctl policy simulate --policy new.toml --trace ledger --since "30 d" --fcfs
              mlctl policy simulate --policy new.toml --against now.toml \\
                --trace jobs.csv --machine machine.toml --signal intensity.csv
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var simulation: SimulationOptions
    @OptionGroup var firstCome: FirstComeOption
    @Option(help: ArgumentHelp("A file of the policy to try; several are merged by name.", valueName: "file"))
    var policy: [String] = []
    @Option(
        help: ArgumentHelp(
            "A file of the policy to compare with; several are merged by name. Default: the policy in force, "
                + "else the built-in one.", valueName: "file"))
    var against: [String] = []

    func run(in context: Context) async throws -> Int32 {
        if policy.isEmpty { throw Failure.usage("give the policy to try: --policy FILE") }
        let new = try loadPolicy(readPolicy(policy))
        var note: String?
        let old: (name: String, policy: PolicySet)
        if against.isEmpty {
            let present = try await PolicyInForce(global, option: "--against", in: context)
            old = (present.name, present.policy)
            note = present.note
        } else {
            old = (policyName(against, beside: policy), try loadPolicy(readPolicy(against)))
        }
        let inputs = try await SimulationInputs.read(simulation, sites: [new, old.policy], global, in: context)
        var report = try await inputs.compare(
            [old, (policyName(policy, beside: against), new)], showsFirstCome: firstCome.fcfs, in: context)
        if let note { report.notes.insert(note, at: 0) }
        try simulation.print(report, in: context)
        return 0
    }
}

/// The files' names; their whole paths where the names are those of the other policy, too.
func policyName(_ files: [String], beside other: [String]) -> String {
    func last(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }
    return (files.map(last) == other.map(last) ? files : files.map(last)).joined(separator: " + ")
}
