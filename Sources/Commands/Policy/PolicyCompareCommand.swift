import ArgumentParser
import JobAPI
import Policy
import Reporting
import Simulation

struct PolicyCompareCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Replay jobs of the past under two policies or more, each a file.",
        discussion: """
            The first is what the others are held against. The site is the same for all: its zone and PUE are those of the first \
            that states any.

            EXAMPLE
              mlctl policy compare now.toml greener.toml faster.toml \\
                --trace jobs.csv --machine machine.toml --signal intensity.csv
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var simulation: SimulationOptions
    @OptionGroup var firstCome: FirstComeOption
    @Argument(help: ArgumentHelp("Two policy files or more (TOML).", valueName: "file")) var files: [String]

    /// A table of more columns nobody reads.
    private static let most = 16

    func run(in context: Context) async throws -> Int32 {
        guard (2...Self.most).contains(files.count) else {
            throw Failure.usage("give 2 to \(Self.most) policy files to compare, not \(files.count)")
        }
        var policies: [(name: String, policy: PolicySet)] = []
        for (index, file) in files.enumerated() {
            let same = files.enumerated().first {
                $0.offset != index && policyName([$0.element], beside: [file]) == $0.element
            }
            let name = policyName([file], beside: same.map { [$0.element] } ?? [])
            policies.append((name, try loadPolicy(readPolicy([file]))))
        }
        let inputs = try await SimulationInputs.read(simulation, sites: policies.map(\.policy), global, in: context)
        let report = try await inputs.compare(policies, showsFirstCome: firstCome.fcfs, in: context)
        try simulation.print(report, in: context)
        return 0
    }
}
