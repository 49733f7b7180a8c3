import FoundationEssentials
import Glibc
import JobAPI
import Testing

@testable import Commands

/// Three jobs on eight hours of a grid: the whole way from files to reports. What replays come to is tested with them.
@Suite final class PolicySimulateCommandTests {
    private let directory: String

    init() throws {
        directory = try temporaryDirectory()
        try write(
            """
            job,submit,duration_min,deadline,interruptible,cpus,power_w
            a,2026-11-24T00:00:00Z,60,2026-11-24T06:00:00Z,false,1,1000
            b,2026-11-24T00:00:00Z,60,,false,2,1000
            c,2026-11-24T00:30:00Z,60,2026-11-24T06:00:00Z,true,1,1000
            """, to: directory + "/jobs.csv")
        let values = [400, 400, 300, 100, 200, 400, 50] + Array(repeating: 400, count: 9)
        let lines = values.enumerated().map { slot, value in
            "2026-11-24T0\(slot / 2):\(slot % 2 == 0 ? "00" : "30"):00Z,\(value)\n"
        }
        try write("time,intensity\n" + lines.joined(), to: directory + "/grid.csv")
        try write(
            "[queue.batch]\ndefault = true\ndefer = { up-to = \"2 h\" }\n", to: directory + "/new.toml")
    }

    deinit { removeDirectory(directory) }

    /// Each `@` is the directory.
    private func run(_ arguments: String...) async -> Terminal.Outcome {
        await Terminal().run(["policy"] + arguments.map { $0.replacing("@", with: directory) }, socket: "/nonexistent")
    }

    private func simulate(_ arguments: String...) async -> Terminal.Outcome {
        let given = ["policy", "simulate", "--policy", "@/new.toml"] + arguments
        return await Terminal().run(given.map { $0.replacing("@", with: directory) }, socket: "/nonexistent")
    }

    private func decoded(_ outcome: Terminal.Outcome) throws -> SimulationReport {
        try JSON.decode(SimulationReport.self, from: Data(outcome.out.utf8))
    }

    @Test func twoPoliciesStandBesideEachOther() async {
        let outcome = await simulate(
            "--trace", "@/jobs.csv", "--signal", "@/grid.csv", "--capacity", "unlimited", "--restart-cost", "0")
        #expect(outcome.status == 0)
        #expect(outcome.err.isEmpty)
        expectSnapshot(
            outcome.out,
            """
            jobs.csv

            FIGURE                      built-in    new.toml        CHANGE
            jobs finished                      3           3
            wait, mean                    50 min  1 h 20 min       +60.0 %
            wait, median                     1 h  1 h 30 min       +50.0 %
            wait, 95 %                1 h 30 min  1 h 30 min
            wait, longest             1 h 30 min  1 h 30 min
            bounded slowdown, mean          2.17        2.67       +23.1 %
            makespan                  3 h 30 min  3 h 30 min
            energy, kWh                        3           3
              of jobs, kWh                     3           3
              idle, kWh                        0           0
            peak, W                         2000        3000       +50.0 %
            carbon, gCO2e                    625         375       -40.0 %
              of jobs, gCO2e                 625         375       -40.0 %
              started at once, gCO2e        1150        1150
            carbon saved, %                45.65       67.39  +21.7 points
            deadlines missed                   0           0
            suspensions                        1           1

            - the built-in policy stands for the one in force: no daemon answers on /nonexistent; --against FILE names another
            - no job of the trace states a time limit: the run times stand for them

            """)
    }

    @Test func eachFormatHasTheSameFigures() async throws {
        let common = ["--trace", "@/jobs.csv", "--signal", "@/grid.csv", "--capacity", "unlimited"]
        func text(_ format: String, _ more: [String] = []) async -> Terminal.Outcome {
            let given = ["policy", "simulate", "--policy", "@/new.toml", "--restart-cost", "0"] + common + more
            return await Terminal().run(given.map { $0.replacing("@", with: directory) } + ["--format", format])
        }
        let json = try decoded(await text("json"))
        #expect(json.rows.map(\.name) == ["built-in", "new.toml"])
        #expect(json.rows.map { Int($0.figures.carbonSavedPercent ?? 0) } == [45, 67])
        #expect(await text("json").out.contains("\"carbon_saved_percent\" : 67.39"))
        let csv = await text("csv").out
        #expect(csv.hasPrefix("policy,jobs,"))
        #expect(csv.contains("\r\nnew.toml,3,3,0,0,0,4800,"))
        // To a file, and nothing on standard output.
        let html = await text("html", ["--output", "@/page.html"])
        #expect(html.status == 0)
        #expect(html.out.isEmpty)
        #expect(try readText(directory + "/page.html").hasPrefix("<!DOCTYPE html>"))
        let closed = await text("html", ["--output", "@/none/page.html"])
        #expect(closed.status == 1)
        #expect(closed.err == "mlctl: \(directory)/none/page.html: No such file or directory\n")
    }

    /// What errors of the forecast cost stands beside what was saved.
    @Test func aForecastThatErrsLosesSomething() async throws {
        let common = [
            "--trace", "@/jobs.csv", "--signal", "@/grid.csv", "--capacity", "unlimited", "--restart-cost", "0",
        ]
        func figures(_ forecast: String) async throws -> SimulationFigures {
            let given = ["policy", "simulate", "--policy", "@/new.toml", "--forecast", forecast, "--format", "json"]
            let outcome = await Terminal().run(
                (given + common).map { $0.replacing("@", with: directory) }, socket: "/nonexistent")
            return try #require(try decoded(outcome).rows.last).figures
        }
        let known = try await figures("perfect")
        #expect(known.carbonLostToForecastPoints == nil)
        let model = try await figures("model")
        let lost = try #require(model.carbonLostToForecastPoints)
        #expect(lost == (known.carbonSavedPercent ?? 0) - (model.carbonSavedPercent ?? 0) && lost > 1)
        let shown = await simulate(
            "--trace", "@/jobs.csv", "--signal", "@/grid.csv", "--capacity", "unlimited", "--forecast", "200%")
        #expect(shown.out.contains("  lost to the forecast, points"), "\(shown)")
    }

    /// Four CPUs: three are busy for an hour, then all are asked for; a short job fits beside the first, and does not delay the second.
    @Test func whatBackfillingIsWorthStandsBeside() async throws {
        try write(
            """
            job,submit,duration_min,cpus,power_w
            first,2026-11-24T00:00:00Z,60,3,1000
            wide,2026-11-24T00:10:00Z,60,4,1000
            short,2026-11-24T00:20:00Z,30,1,1000
            """, to: directory + "/wide.csv")
        try write("cpus = 4\n", to: directory + "/machine.toml")
        try write("[queue.batch]\ndefault = true\n", to: directory + "/plain.toml")
        func simulate(_ format: String) async -> Terminal.Outcome {
            await run(
                "simulate", "--policy", "@/new.toml", "--against", "@/plain.toml", "--trace", "@/wide.csv",
                "--machine", "@/machine.toml", "--fcfs", "--format", format)
        }
        let outcome = await simulate("table")
        #expect(outcome.status == 0, "\(outcome.err)")
        // What a kWh causes is the table's of the release.
        let steady = outcome.out.split(separator: "\n", omittingEmptySubsequences: false).filter {
            !$0.contains("gCO2e") && !$0.contains("g/kWh")
        }
        expectSnapshot(
            steady.joined(separator: "\n"),
            """
            wide.csv

            FIGURE                     plain.toml     new.toml  CHANGE  plain.toml, fcfs        CHANGE
            jobs finished                       3            3                         3
            wait, mean                16 min 40 s  16 min 40 s                    50 min      +200.0 %
            wait, median                      0 s          0 s                    50 min
            wait, 95 %                     50 min       50 min                1 h 40 min      +100.0 %
            wait, longest                  50 min       50 min                1 h 40 min      +100.0 %
            bounded slowdown, mean           1.28         1.28                      2.39       +87.0 %
            makespan                          2 h          2 h                2 h 30 min       +25.0 %
            CPUs in use, %                   93.8         93.8                      75.0  -18.8 points
            energy, kWh                       2.5          2.5                       2.5
              of jobs, kWh                    2.5          2.5                       2.5
              idle, kWh                         0            0                         0
            peak, W                          2000         2000                      1000       -50.0 %
            carbon saved, %                  0.00         0.00                      0.00

            - no job of the trace states a time limit: the run times stand for them
            - plain.toml, fcfs: first come, first served: no job starts before one that waits ahead of it

            """)
        let report = try decoded(await simulate("json"))
        #expect(report.rows.map(\.name) == ["plain.toml", "new.toml", "plain.toml, fcfs"])
        #expect(report.rows.map(\.figures.waitMeanS) == [1000, 1000, 3000])
        #expect(await simulate("csv").out.contains("\r\n\"plain.toml, fcfs\",3,3,0,0,0,3000,"))
        let page = await simulate("html").out
        #expect(page.hasPrefix("<!DOCTYPE html>") && page.contains("plain.toml, fcfs"))
        let help = await run("simulate", "--help")
        #expect(help.out.contains("--since \"30 d\" --fcfs"))
    }

    /// Where the file of prices ends the policy's fallback is paid, as by the daemon; without one that is said.
    @Test func pricesThatEndGoOnAsThePolicySays() async throws {
        try write(
            "job,submit,duration_min,power_w\na,2026-11-24T00:00:00Z,120,1000\n", to: directory + "/jobs.csv")
        try write(
            "time,price\n2026-11-24T00:00:00Z,0.1\n2026-11-24T00:30:00Z,0.1\n", to: directory + "/prices.csv")
        func row(_ fallback: String) async throws -> SimulationReport.Row {
            try write(
                "[carbon]\nprice = { file = \"/srv/prices.csv\", currency = \"EUR\"\(fallback) }\n",
                to: directory + "/new.toml")
            let outcome = await simulate(
                "--trace", "@/jobs.csv", "--price", "@/prices.csv", "--capacity", "unlimited", "--format", "json")
            return try #require(try decoded(outcome).rows.last)
        }
        let paid = try await row(", fallback = \"0.5 EUR/kWh\"")
        #expect(abs((paid.figures.cost ?? 0) - 0.6) < 1e-9 && paid.figures.costGapS == 0)
        let unpaid = try await row("")
        #expect(abs((unpaid.figures.cost ?? 0) - 0.1) < 1e-9 && unpaid.figures.costGapS == 3600)
        #expect(unpaid.notes.contains("the price is not known for 1 h of the jobs' time, which is not in the cost"))
    }

    @Test func aPolicyIsComparedWithAnother() async throws {
        try write("[queue.batch]\ndefault = true\ndefer = { up-to = \"1 h\" }\n", to: directory + "/old.toml")
        let outcome = await simulate(
            "--against", "@/old.toml", "--trace", "@/jobs.csv", "--signal", "@/grid.csv", "--capacity", "unlimited",
            "--format", "json")
        let report = try decoded(outcome)
        #expect(report.rows.map(\.name) == ["old.toml", "new.toml"])
        #expect(report.rows.map(\.figures.waitMaxS) == [5400, 5400])
        #expect(report.rows.map(\.figures.jobsCarbonG) != [nil, nil])
        #expect(policyName(["a/1.toml", "2.toml"], beside: ["b/1.toml"]) == "1.toml + 2.toml")
        #expect(policyName(["a/1.toml"], beside: ["b/1.toml"]) == "a/1.toml")
    }

    @Test func aSettingIsTurned() async {
        let outcome = await run(
            "tune", "--knob", "queue.batch.defer.up-to=0h..2h/1", "--policy", "@/new.toml", "--trace", "@/jobs.csv",
            "--signal", "@/grid.csv", "--capacity", "unlimited", "--restart-cost", "0")
        #expect(outcome.status == 0)
        expectSnapshot(
            outcome.out,
            """
            jobs.csv

            queue.batch.defer.up-to  BEST        WAIT        95 %  kWh  gCO2e  SAVED %  PEAK W  MISSED
            0 h                      *         50 min  1 h 30 min    3    625    45.65    2000       0
            1 h                      *     1 h 10 min  1 h 30 min    3    425    63.04    3000       0
            2 h                      *     1 h 20 min  1 h 30 min    3    375    67.39    3000       0

            * no other value has both less carbon and a shorter mean wait

            - no job of the trace states a time limit: the run times stand for them

            """)
    }

    /// On a machine for two, without a signal: the zone's mean stands for the grid, and the machine's watts for the jobs'.
    @Test func theMachineSaysWhatItHasAndDraws() async throws {
        try write(
            "job,submit,duration_min,cpus\na,2026-11-24T00:00:00Z,60,2\nb,2026-11-24T00:00:00Z,60,1\n",
            to: directory + "/jobs.csv")
        try write("cpus = 2\nidle-power = \"50 W\"\npower-per-cpu = \"25 W\"\n", to: directory + "/machine.toml")
        try write("[site]\nzone = \"FR\"\npue = 1.5\n", to: directory + "/new.toml")
        let outcome = await simulate(
            "--trace", "@/jobs.csv", "--machine", "@/machine.toml", "--format", "json")
        let report = try decoded(outcome)
        #expect(report.rows.map(\.figures.energyJ) == [630_000, 630_000])
        #expect(report.rows.map(\.figures.waitMaxS) == [3600, 3600])
        #expect(report.rows.map(\.figures.peakW) == [100, 100])
        #expect(report.rows.allSatisfy { ($0.figures.carbonG ?? 0) > 0 })
        #expect(report.notes.contains("carbon and cost: PUE 1.5"))
    }

    @Test func aMachineFileIsCheckedWithItsLines() async throws {
        try write(
            "cpus = 8\ngpus = 1\n[[gpu]]\ncount = 2\nmodel = \"T4\"\n[[gpu]]\nmemory = \"4 GiB\"\n",
            to: directory + "/machine.toml")
        let wrong = await simulate("--trace", "@/jobs.csv", "--machine", "@/machine.toml")
        #expect(wrong.err.contains("\"gpus\" is 1, but [[gpu]] has 3"), "\(wrong)")
        #expect(wrong.err.contains("\"gpu.model\" must be a name"), "\(wrong)")
        try write("cpus = 0\ncpu-power = 3\nidle-power = \"-1 W\"\n", to: directory + "/machine.toml")
        let outcome = await simulate("--trace", "@/jobs.csv", "--machine", "@/machine.toml")
        #expect(outcome.status == 1)
        #expect(outcome.out.isEmpty)
        for line in ["machine.toml:1: ", "machine.toml:2: unknown key \"cpu-power\"", "machine.toml:3: "] {
            #expect(outcome.err.contains(line), "\(outcome.err)")
        }
    }

    /// A gzip file of one job.
    private static let packed: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xCB, 0xCA, 0x4F, 0xD2,
        0x29, 0x2E, 0x4D, 0xCA, 0xCD, 0x2C, 0xD1, 0x49, 0x29, 0x2D, 0x4A, 0x2C, 0xC9, 0xCC,
        0xCF, 0x8B, 0xCF, 0xCD, 0xCC, 0xE3, 0x4A, 0xD4, 0x31, 0x32, 0x30, 0x32, 0xD3, 0x35,
        0x34, 0xD4, 0x35, 0x32, 0x09, 0x31, 0x30, 0xB0, 0x02, 0xA3, 0x28, 0x1D, 0x33, 0x03,
        0x2E, 0x00, 0xE5, 0x2C, 0xE0, 0x67, 0x32, 0x00, 0x00, 0x00,
    ]

    @Test func packedTracesAreUnpackedWithinBounds() async throws {
        let path = directory + "/jobs.csv.gz"
        try writeBytes(Self.packed, to: path)
        let outcome = await simulate("--trace", path, "--capacity", "unlimited", "--format", "json")
        #expect(try decoded(outcome).rows.map(\.figures.jobsFinished) == [1, 1])
        #expect(throws: Failure.self) { try unpackedBytes(path, limit: 10) }
        #expect(throws: Failure.self) { try unpackedBytes(path, limit: 1000, program: "/nonexistent/gzip") }
        try writeBytes(Array(Self.packed.dropLast(9)), to: path)
        let damaged = await simulate("--trace", path, "--capacity", "unlimited")
        #expect(damaged.status == 1)
        #expect(damaged.err == "mlctl: \(path): the file is damaged, or no gzip file\n")
    }

    @Test(arguments: [
        (
            ["--capacity", "unlimited", "--step", "1 s"], 2,
            "--step is 1 s; it must be whole seconds, from 1 min to 1 d"
        ),
        (["--capacity", "unlimited", "--forecast", "5"], 2, "\"5 %\""),
        (["--capacity", "unlimited", "--restart-cost", "-1"], 2, "--restart-cost"), ([], 2, "how many CPUs"),
        (["--capacity", "unlimited", "--against", "/nonexistent"], 1, "/nonexistent: No such file"),
        (["--capacity", "unlimited", "--signal", "@/jobs.csv"], 1, "/jobs.csv"),
        (["--capacity", "unlimited", "--policy", "@/jobs.csv"], 1, "/jobs.csv:1: "),
        (["--capacity", "unlimited", "--trace", "@/grid.csv"], 1, "/grid.csv:1: "),
        (["--capacity", "unlimited", "--trace", "@/new.toml"], 2, "must end in .swf or .csv"),
        (["--capacity", "unlimited", "--since", "1 d"], 2, "give --trace ledger"),
        (["--trace", "ledger", "--since", "1 d", "--until", "2 d"], 2, "must be later than --since"),
    ])
    func saysWhatIsWrong(arguments: [String], status: Int32, message: String) async {
        let given = ["policy", "simulate", "--policy", "@/new.toml", "--trace", "@/jobs.csv"] + arguments
        let outcome = await Terminal().run(given.map { $0.replacing("@", with: directory) })
        #expect(outcome.status == status)
        #expect(outcome.out.isEmpty)
        #expect(outcome.err.contains(message), "\(outcome.err)")
    }

    @Test func aKnobThatIsNoneIsSaid() async {
        let common = ["--trace", "@/jobs.csv", "--capacity", "unlimited"]
        func tune(_ knob: String) async -> Terminal.Outcome {
            let given = ["policy", "tune", "--knob", knob] + common
            return await Terminal().run(given.map { $0.replacing("@", with: directory) })
        }
        #expect(await tune("priority=1").status == 2)
        let unknown = await tune("queue.batch.priorty=1,2")
        #expect(unknown.status == 1)
        #expect(unknown.err.contains("priority"), "\(unknown.err)")
        let misspelt = await tune("queue.batc.defer.up-to=0..2/1 h")
        #expect(misspelt.status == 1 && misspelt.out.isEmpty)
        #expect(misspelt.err.contains("did you mean \"queue.batch.defer.up-to\"?"), "\(misspelt.err)")
        let ignored = await tune("site.pue=1,2")
        #expect(ignored.status == 1 && ignored.err.contains("a replay does not go by \"site.pue\""), "\(ignored.err)")
    }

    private func writeBytes(_ bytes: [UInt8], to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        defer { close(descriptor) }
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { throw TestError(description: path) }
    }
}
