import FoundationEssentials
import JobAPI
import Testing
import Units

@Suite struct EstimateCommandTests {
    private static let learned: Estimate = {
        var estimate = Estimate(
            admission: .init(accepted: true, reason: "accepted", rule: "default.toml:3", queue: "batch"),
            notes: ["the best start is looked for within a day"])
        estimate.timeLimitS = 3600
        (estimate.runs, estimate.likes) = (12, "of the same user, name, command and request")
        estimate.durationS = .init(low: 600, expected: 720, high: 900)
        estimate.powerW = .init(low: 30, expected: 45, high: 80)
        (estimate.tier, estimate.powerBasis) = (.measured, "the same runs")
        estimate.energyJ = .init(low: 18_000, expected: 32_400, high: 72_000)
        estimate.currency = "EUR"
        (estimate.expectedStart, estimate.ahead) = (Samples.at(60), 2)
        estimate.now = .init(
            at: Samples.at(60), intensityGPerKwh: 400, carbonG: .init(low: 2, expected: 3.6, high: 8),
            cost: .init(low: 0.0015, expected: 0.0027, high: 0.006))
        estimate.greenest = .init(
            at: Samples.at(7200), intensityGPerKwh: 100, carbonG: .init(low: 0.5, expected: 0.9, high: 2),
            cost: .init(low: 0.0015, expected: 0.0027, high: 0.006))
        estimate.deadline = Samples.at(86_400)
        return estimate
    }()

    private static let unknown: Estimate = {
        var estimate = Estimate(
            admission: .init(accepted: true, reason: "accepted", queue: "batch"),
            notes: ["nothing like it ran here: it takes its time limit at most"])
        estimate.durationS = .init(low: 0, high: 3600)
        estimate.powerW = .init(low: 0.3, high: 16)
        (estimate.tier, estimate.powerBasis) = (.table, "from idle to busy by a table")
        estimate.energyJ = .init(low: 0, high: 57_600)
        (estimate.expectedStart, estimate.ahead) = (Samples.start, 0)
        estimate.now = .init(at: Samples.start, intensityGPerKwh: 400, carbonG: .init(low: 0, high: 6.4))
        return estimate
    }()

    @Test func table() async throws {
        try await FakeServer.with(["POST /v1/estimate": [try .json(Self.learned)]]) { server in
            let outcome = await Terminal().run(
                ["estimate", "--by", "2026-11-25T08:00:00Z", "--cpus", "2", "--", "python3", "train.py"],
                socket: server.socket)
            #expect(outcome.status == 0, "\(outcome.err)")
            expectSnapshot(
                outcome.out,
                """
                admission    accepted
                rule         default.toml:3
                queue        batch
                run time     12 min (10 min to 15 min)
                known from   12 earlier runs of the same user, name, command and request
                power        45 W (30 W to 80 W), measured: the same runs
                energy       0.009 kWh (0.005 kWh to 0.02 kWh)
                would start  2026-11-24T08:02:00Z, an estimate: 2 jobs before it

                START     AT                    g/kWh  gCO2e  LOW-HIGH     EUR      LOW-HIGH
                now       2026-11-24T08:02:00Z    400    3.6       2-8  0.0027  0.0015-0.006
                greenest  2026-11-24T10:01:00Z    100    0.9     0.5-2  0.0027  0.0015-0.006

                - the best start is looked for within a day

                """)
            let asked = try #require(server.asked.first)
            #expect(asked.target == "/v1/estimate?by=2026-11-25T08%3A00%3A00.000Z")
            let spec = try JSON.decode(JobSpec.self, from: Data(asked.body))
            #expect(spec.command?.argv == ["python3", "train.py"] && spec.resources.cpus == 2)
        }
    }

    @Test func whatIsNotKnownIsNotShownAsKnown() async throws {
        try await FakeServer.with(["POST /v1/estimate": [try .json(Self.unknown)]]) { server in
            let outcome = await Terminal().run(["estimate", "--", "true"], socket: server.socket)
            expectSnapshot(
                outcome.out,
                """
                admission    accepted
                queue        batch
                run time     at most 1 h
                power        0.3 W to 16 W, table: from idle to busy by a table
                energy       at most 0.016 kWh
                would start  2026-11-24T08:01:00Z

                START  AT                    g/kWh  gCO2e  LOW-HIGH
                now    2026-11-24T08:01:00Z    400      -     0-6.4

                - nothing like it ran here: it takes its time limit at most

                """)
        }
    }

    @Test func json() async throws {
        try await FakeServer.with(["POST /v1/estimate": [try .json(Self.learned)]]) { server in
            let outcome = await Terminal().run(
                ["estimate", "--format", "json", "--", "true"], socket: server.socket)
            let expected = try JSON.text(Self.learned, pretty: true) + "\n"
            #expect(outcome.out == expected)
            for key in ["duration_s", "power_w", "energy_j", "carbon_g", "intensity_g_per_kwh", "time_limit_s"] {
                #expect(outcome.out.contains("\"\(key)\" : "), "\(key)")
            }
        }
    }

    @Test func aRefusalSaysWhatHelpsAndFails() async throws {
        let refused = Estimate(
            admission: .init(
                accepted: false, reason: "16 cpus are more than 8", rule: "site.toml:4", hint: "ask for at most 8"))
        try await FakeServer.with(["POST /v1/estimate": [try .json(refused)]]) { server in
            let outcome = await Terminal().run(["estimate", "--cpus", "16", "--", "true"], socket: server.socket)
            #expect(outcome.status == 1)
            expectSnapshot(
                outcome.out,
                """
                admission   refused: 16 cpus are more than 8
                rule        site.toml:4
                what helps  ask for at most 8

                """)
        }
    }

    @Test func aFileAndWhatIsSetInItAreSent() async throws {
        try await FakeServer.with(["POST /v1/estimate": [try .json(Self.unknown)]]) { server in
            let path = server.directory + "/job.toml"
            try write("[command]\nargv = [\"true\"]\n", to: path)
            let outcome = await Terminal().run(
                ["estimate", path, "--set", "resources.cpus=3"], socket: server.socket)
            #expect(outcome.status == 0, "\(outcome.err)")
            let spec = try JSON.decode(JobSpec.self, from: Data(try #require(server.asked.first).body))
            #expect(spec.resources.cpus == 3)
        }
    }

    @Test(arguments: [
        ["estimate"], ["estimate", "job.toml", "--", "true"], ["estimate", "--set", "a=1", "--", "true"],
        ["estimate", "--by", "soon", "--", "true"],
    ])
    func whatIsNoJobIsUsage(arguments: [String]) async {
        #expect(await Terminal().run(arguments, socket: "/nonexistent").status == 2)
    }
}
