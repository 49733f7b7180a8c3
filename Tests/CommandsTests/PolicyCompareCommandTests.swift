import FoundationEssentials
import JobAPI
import Testing

@testable import Commands

/// Two jobs for one machine that has room for one, under policies that differ in what they admit.
@Suite final class PolicyCompareCommandTests {
    private let directory: String

    init() throws {
        directory = try temporaryDirectory()
        try write(
            """
            job,submit,duration_min,user,power_w
            a,2026-11-24T00:00:00Z,60,ada,100
            b,2026-11-24T00:00:00Z,60,bob,100
            """, to: directory + "/jobs.csv")
        try write("cpus = 1\nidle-power = \"50 W\"\n", to: directory + "/machine.toml")
        try write("[machine]\nreserve-cpus = 0\n", to: directory + "/a.toml")
        try write("[site]\npue = 1.5\n", to: directory + "/b.toml")
        try write(
            "[[rule]]\nname = \"no-bob\"\nmatch = { user = \"bob\" }\nthen = \"deny\"\nmessage = \"not here\"\n",
            to: directory + "/c.toml")
    }

    deinit { removeDirectory(directory) }

    private func compare(_ arguments: String...) async -> Terminal.Outcome {
        let given = ["policy", "compare"] + arguments + ["--trace", "@/jobs.csv", "--machine", "@/machine.toml"]
        return await Terminal().run(given.map { $0.replacing("@", with: directory) }, socket: "/nonexistent")
    }

    @Test func eachStandsBesideTheFirst() async throws {
        let outcome = await compare("@/a.toml", "@/b.toml", "@/c.toml")
        #expect(outcome.status == 0, "\(outcome.err)")
        let (table, notes) = try #require(
            outcome.out.firstRange(of: "\n\n- ").map {
                (String(outcome.out[..<$0.lowerBound]), String(outcome.out[$0.lowerBound...]))
            })
        // What a kWh causes is the table's of the release.
        let steady = table.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.contains("gCO2e") }
        expectSnapshot(
            steady.joined(separator: "\n"),
            """
            jobs.csv

            FIGURE                    a.toml  b.toml  CHANGE  c.toml    CHANGE
            jobs finished                  2       2               1   -50.0 %
            jobs refused                   0       0               1
            wait, mean                30 min  30 min             0 s  -100.0 %
            wait, median              30 min  30 min             0 s  -100.0 %
            wait, 95 %                   1 h     1 h             0 s  -100.0 %
            wait, longest                1 h     1 h             0 s  -100.0 %
            bounded slowdown, mean       1.5     1.5               1   -33.3 %
            makespan                     2 h     2 h             1 h   -50.0 %
            CPUs in use, %             100.0   100.0           100.0
            energy, kWh                  0.3     0.3            0.15   -50.0 %
              of jobs, kWh               0.2     0.2             0.1   -50.0 %
              idle, kWh                  0.1     0.1            0.05   -50.0 %
            peak, W                      150     150             150
            carbon saved, %             0.00    0.00            0.00

            WAIT BY USER  a.toml  b.toml  CHANGE  c.toml  CHANGE
            ada              0 s     0 s             0 s
            ada, 95 %        0 s     0 s             0 s
            bob              1 h     1 h               -
            bob, 95 %        1 h     1 h               -
            """)
        // The site is that of the first that says anything of it.
        #expect(notes.contains("carbon and cost: PUE 1.5"), "\(notes)")
        #expect(notes.contains("c.toml: 1 refused: "), "\(notes)")
    }

    @Test func formatsAndNames() async throws {
        let json = await compare("@/a.toml", "@/a.toml", "--format", "json")
        let report = try JSON.decode(SimulationReport.self, from: Data(json.out.utf8))
        #expect(report.rows.map(\.name) == [directory + "/a.toml", directory + "/a.toml"])
        let csv = await compare("@/a.toml", "@/c.toml", "--format", "csv").out.split(separator: "\r\n")
        #expect(csv.count == 3 && csv[0].hasPrefix("policy,jobs,") && csv[2].hasPrefix("c.toml,2,1,"))
        let page = await compare("@/a.toml", "@/b.toml", "@/c.toml", "--format", "html").out
        #expect(page.hasPrefix("<!DOCTYPE html>") && page.contains("c.toml") && page.contains("WAIT BY USER"))
    }

    @Test func saysWhatIsWrong() async {
        let one = await compare("@/a.toml")
        #expect(one.status == 2 && one.err.contains("give 2 to 16 policy files"), "\(one.err)")
        let bad = await compare("@/a.toml", "@/jobs.csv")
        #expect(bad.status == 1 && bad.err.contains("/jobs.csv:1: "), "\(bad.err)")
    }
}
