import FoundationEssentials
import JobAPI
import Testing
import Units

@testable import Commands

/// The daemon's own past as the trace, and the policy it has in force beside the new one.
@Suite final class PolicyHistoryCommandTests {
    private let directory: String

    init() throws {
        directory = try temporaryDirectory()
        try write(
            "[queue.batch]\ndefault = true\ndefer = { up-to = \"2 h\" }\n", to: directory + "/new.toml")
    }

    deinit { removeDirectory(directory) }

    private static func at(_ minutes: Double) -> Timestamp {
        Timestamp(seconds: 1_795_478_400 + 60 * minutes)  // 2026-11-24T00:00:00Z
    }

    private static func job(_ id: Int64, _ user: String, at minutes: Double) -> HistoryPage.Job {
        HistoryPage.Job(
            id: JobID(id), name: "train", user: user, project: "nlp", queue: "batch", cpus: 2,
            memoryBytes: .gibibytes(1), gpus: 0, submittedAt: at(minutes), durationS: 3600, waitedS: 60, powerW: 100,
            state: .succeeded, kind: "1")
    }

    /// 400 g/kWh but from 1:00 to 2:00.
    private static let first = HistoryPage(
        jobs: [job(1, "ada", at: 0), job(3, "bob", at: 0)], next: JobID(4), until: at(600),
        intensities: [
            .init(from: at(-900), gPerKwh: 400, pue: 1), .init(from: at(60), gPerKwh: 100, pue: 1.4),
            .init(from: at(120), gPerKwh: 400, pue: 1.4),
        ],
        machine: .init(
            cpus: 2, memoryBytes: .gibibytes(8), gpus: 0, idleW: 20, idleUnknown: ["package-1"]))
    private static let second = HistoryPage(jobs: [job(7, "ada", at: 30)], until: at(600))

    private static let inForce = PolicyTexts(
        hash: "0123456789abcdef",
        files: [
            .init(name: "/etc/mld/policies.d/10.toml", text: "[site]\npue = 1.2\n"),
            .init(name: "/etc/mld/policies.d/20.toml", text: "[queue.batch]\ndefault = true\n"),
        ])

    private func with(
        pages: [HistoryPage] = [first, second], policy: PolicyTexts = inForce,
        _ body: (FakeServer) async throws -> Void
    ) async throws {
        try await FakeServer.with(
            ["GET /v1/history": pages.map { try .json($0) }, "GET /v1/policy/files": [.json(policy)]], body)
    }

    private func run(_ server: FakeServer, _ arguments: String...) async -> Terminal.Outcome {
        await Terminal().run(
            ["policy"] + arguments.map { $0.replacing("@", with: directory) }, socket: server.socket)
    }

    @Test func aPolicyIsTriedOnTheLedgerBesideTheOneInForce() async throws {
        try await with { server in
            let outcome = await run(
                server, "simulate", "--policy", "@/new.toml", "--trace", "ledger", "--since", "2026-11-24",
                "--restart-cost", "0")
            #expect(outcome.status == 0, "\(outcome.err)")
            #expect(outcome.err.isEmpty)
            expectSnapshot(
                outcome.out,
                """
                ledger

                FIGURE                      in force    new.toml  CHANGE
                jobs finished                      3           3
                wait, mean                    50 min      50 min
                wait, median                     1 h         1 h
                wait, 95 %                1 h 30 min  1 h 30 min
                wait, longest             1 h 30 min  1 h 30 min
                bounded slowdown, mean          1.83        1.83
                makespan                         3 h         3 h
                CPUs in use, %                 100.0       100.0
                energy, kWh                     0.36        0.36
                  of jobs, kWh                   0.3         0.3
                  idle, kWh                     0.06        0.06
                peak, W                          120         120
                carbon, gCO2e                    130         130
                  of jobs, gCO2e                 108         108
                  started at once, gCO2e         126         126
                carbon saved, %                14.29       14.29

                WAIT BY USER    in force    new.toml    CHANGE
                ada               45 min  1 h 15 min   +66.7 %
                ada, 95 %     1 h 30 min  1 h 30 min
                bob                  1 h         0 s  -100.0 %
                bob, 95 %            1 h         0 s  -100.0 %

                - in force: /etc/mld/policies.d/10.toml, /etc/mld/policies.d/20.toml (0123456789ab)
                - what really happened: waits of 1 min on the mean, 95 % up to 1 min
                - 3 are of a release that did not note its users' groups: what asks for a group is not about them
                - what these draw while they idle is not known yet and left out: package-1
                - carbon: as the ledger was kept, up to 2026-11-24T10:30:00Z; 400 g/kWh after that
                - no job of the trace states a time limit: the run times stand for them
                - carbon and cost: PUE 1.2

                """)
            let history = server.asked.filter { $0.name == "GET /v1/history" }.map(\.target)
            #expect(
                history == [
                    "/v1/history?since=2026-11-24T00%3A00%3A00.000Z",
                    "/v1/history?since=2026-11-24T00%3A00%3A00.000Z&until=2026-11-24T10%3A00%3A00.000Z&after=4",
                ])
        }
    }

    @Test func aSettingIsTurnedOverTheLedger() async throws {
        try await with { server in
            let outcome = await run(
                server, "tune", "--knob", "queue.batch.defer.up-to=0..2/1 h", "--policy", "@/new.toml", "--trace",
                "ledger",
                "--restart-cost", "0", "--format", "csv")
            #expect(outcome.status == 0, "\(outcome.err)")
            let lines = outcome.out.split(separator: "\r\n")
            #expect(lines.count == 4 && lines[1].hasPrefix("0 h,true,3,3,"), "\(outcome.out)")
            #expect(!server.asked.contains { $0.name == "GET /v1/policy/files" }, "it compares with nothing")
        }
    }

    /// Nobody names a policy: the setting is turned in the one in force, on the site as its books were kept.
    @Test func aSettingIsTurnedInWhatIsInForce() async throws {
        var policy = Self.inForce
        policy.files.removeFirst()
        try await with(policy: policy) { server in
            let outcome = await run(
                server, "tune", "--knob", "queue.batch.priority=1,2", "--trace", "ledger", "--format", "json")
            #expect(outcome.status == 0, "\(outcome.err)")
            let report = try JSON.decode(SweepReport.self, from: Data(outcome.out.utf8))
            #expect(report.notes.first == "in force: /etc/mld/policies.d/20.toml (0123456789ab)")
            #expect(report.notes.contains("carbon and cost: PUE 1.4, as the ledger was kept"))
            #expect(report.rows.map { ($0.figures.jobsCarbonG ?? 0).rounded() } == [126, 126])
        }
    }

    /// Given ones go before those of the daemon.
    @Test func machineAndSignalCanBeOthers() async throws {
        try write("cpus = 8\n", to: directory + "/machine.toml")
        try write(
            "time,intensity\n2026-11-24T00:00:00Z,50\n2026-11-24T06:00:00Z,50\n2026-11-24T12:00:00Z,50\n",
            to: directory + "/grid.csv")
        try await with { server in
            let outcome = await run(
                server, "simulate", "--policy", "@/new.toml", "--trace", "ledger", "--machine", "@/machine.toml",
                "--signal", "@/grid.csv", "--format", "json")
            let report = try JSON.decode(SimulationReport.self, from: Data(outcome.out.utf8))
            #expect(report.rows.map(\.figures.waitMaxS) == [0, 0])
            #expect(report.rows.map(\.figures.idleEnergyJ) == [0, 0])
            #expect(report.rows.map { ($0.figures.jobsCarbonG ?? 0).rounded() } == [18, 18])
        }
    }

    /// An error in what is in force has the daemon's own file and line.
    @Test func whatIsInForceKeepsItsPlaces() async throws {
        var broken = Self.inForce
        broken.files[1].text = "\n[queue.batch]\nfrom-a-later-release = 1\n"
        try await with(policy: broken) { server in
            let outcome = await run(server, "simulate", "--policy", "@/new.toml", "--trace", "ledger")
            #expect(outcome.status == 1)
            #expect(
                outcome.err.contains("the policy in force: /etc/mld/policies.d/20.toml:3: unknown key"),
                "\(outcome.err)")
        }
    }

    @Test func withoutJobsOrAnEndItSaysSo() async throws {
        var none = Self.second
        none.jobs = []
        none.isEverybodys = false
        try await with(pages: [none]) { server in
            let outcome = await run(server, "tune", "--knob", "queue.batch.priority=1,2", "--trace", "ledger")
            #expect(outcome.status == 1)
            #expect(
                outcome.err
                    == "mlctl: ledger: no job ran and ended in that period; those of others are for who may see them "
                    + "([access] see-others)\n")
        }
        none.next = JobID(9)
        try await with(pages: [none]) { server in
            let outcome = await run(server, "tune", "--knob", "queue.batch.priority=1,2", "--trace", "ledger")
            #expect(outcome.status == 1 && outcome.err.contains("come to no end at job 9"), "\(outcome.err)")
        }
        let alone = await Terminal().run(
            ["policy", "tune", "--knob", "queue.batch.priority=1,2", "--trace", "ledger"], socket: "/nonexistent")
        #expect(alone.status == 3 && alone.err.contains("cannot reach the mld daemon on /nonexistent"))
    }

    @Test func aTerminalIsToldHowFarItHasCome() async throws {
        try await with { server in
            let outcome = await Terminal(isTerminal: true).run(
                ["policy", "tune", "--knob", "queue.batch.priority=1,2", "--trace", "ledger"], socket: server.socket)
            #expect(outcome.status == 0)
            #expect(outcome.err.contains("reading the ledger: 0 jobs") && outcome.err.contains("ledger: 2 jobs"))
            #expect(outcome.err.hasSuffix("\r\u{1b}[2K"))
        }
    }
}
