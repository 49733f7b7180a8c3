import ArgumentParser
import JobAPI
import Policy
import Reporting
import Simulation

struct PolicySimulateCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Replay jobs of the past under a policy and under another; needs no daemon.",
        discussion: """
            The trace passes through mld's own scheduler; waits, energy, carbon and missed deadlines stand beside each other. \
            "Saved" is against each job having run at its submission.

            EXAMPLE
              mlctl policy simulate --policy new.toml --against now.toml \\
                --trace jobs.csv --machine machine.toml --signal intensity.csv
            """)

    @OptionGroup var simulation: SimulationOptions
    @Option(
        help: ArgumentHelp(
            "A file of the policy to compare with; several are merged by name. Default: the built-in policy.",
            valueName: "file"))
    var against: [String] = []

    func run(in context: Context) async throws -> Int32 {
        if simulation.policy.isEmpty { throw Failure.usage("give the policy to try: --policy FILE") }
        let old = try loadPolicy(readPolicy(against))
        let inputs = try await showingWait("reading", context) { try SimulationInputs(simulation) }
        let policies: [(name: String, policy: PolicySet)] = [
            (Self.name(against, beside: simulation.policy), old),
            (Self.name(simulation.policy, beside: against), inputs.policy),
        ]
        var report = try await showingWait("replaying", context) {
            Comparison.run(
                inputs.trace, named: inputs.name, under: policies, on: inputs.machine, prices: inputs.prices,
                options: inputs.options)
        }
        report.notes += inputs.notes
        try simulation.print(
            in: context, table: table(report, style: context.outputStyle),
            json: try JSON.text(report, pretty: true), csv: csv(report), html: html(report))
        return 0
    }

    /// The files' names; their whole paths where the names are those of the other policy, too.
    static func name(_ files: [String], beside other: [String]) -> String {
        func last(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }
        if files.isEmpty { return "built-in" }
        return (files.map(last) == other.map(last) ? files : files.map(last)).joined(separator: " + ")
    }
}
