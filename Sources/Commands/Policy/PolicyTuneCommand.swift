import ArgumentParser
import JobAPI
import Reporting
import Simulation

struct PolicyTuneCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "tune",
        abstract: "Replay jobs of the past with each value of one setting.",
        discussion: """
            Marked are the values that no other beats in both carbon and waiting. Values are a list (1,10,100) or from, to and \
            step with a unit (0..48/8 h). A setting that the policy does not have, or that no replay goes by, is refused.

            EXAMPLE
              mlctl policy tune --knob "limits.max-running-per-user=1..8/1" --trace ledger --since "30 d"
              mlctl policy tune --knob "queue.batch.defer.up-to=0..48/8 h" \\
                --policy site.toml --trace jobs.swf.gz --signal intensity.csv
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var simulation: SimulationOptions
    @Option(
        help: ArgumentHelp(
            "A file of the policy in which it is turned; several are merged by name. Default: the policy in force, "
                + "else the built-in one.",
            valueName: "file"))
    var policy: [String] = []
    @Option(help: ArgumentHelp("The setting, as a policy file has it, and its values.", valueName: "key=values"))
    var knob: String

    func run(in context: Context) async throws -> Int32 {
        let knob: Knob
        do { knob = try Knob(parsing: self.knob) } catch { throw Failure.usage("--knob: \(error)") }
        let present = policy.isEmpty ? try await PolicyInForce(global, option: "--policy", in: context) : nil
        let files = try present?.files ?? readPolicy(policy)
        let policy = try present?.policy ?? loadPolicy(files)
        try described { try knob.check(in: policy) }
        let inputs = try await SimulationInputs.read(simulation, sites: [policy], global, in: context)
        var report = try await showingWait("replaying", context) {
            try described {
                try Sweep.run(
                    knob, in: files, over: inputs.trace, named: inputs.name, on: inputs.machine,
                    prices: inputs.prices, options: inputs.options)
            }
        }
        report.notes = (present.map { [$0.note] } ?? []) + report.notes + inputs.notes
        try simulation.print(
            in: context, table: table(report, style: context.outputStyle),
            json: try JSON.text(report, pretty: true), csv: csv(report), html: html(report))
        return 0
    }
}
