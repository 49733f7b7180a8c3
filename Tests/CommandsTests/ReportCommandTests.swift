import JobAPI
import Testing

@Suite struct ReportCommandTests {
    @Test func byJob() async throws {
        try await FakeServer.with(["GET /v1/report": [try .json(Samples.report())]]) { server in
            let outcome = await Terminal().run(["report", "--by", "job", "--job", "7"], socket: server.socket)
            #expect(outcome.status == 0)
            #expect(server.asked.map(\.target) == ["/v1/report?by=job&job=7"])
            expectSnapshot(
                outcome.out,
                """
                2026-11-24T07:01:00Z to 2026-11-24T09:01:00Z, by job

                   JOB  NAME     USER  STATE      TIME       kWh     J  gCO2e   LOW-HIGH  TIER   J/EPOCH  J/SAMPLE
                     7  fashion  ada   succeeded  45 s  0.000343  1235  0.123  0.11-0.14  table      123   0.00206
                (idle)                               -  0.000139   500   0.05  0.04-0.06  table
                ------  -------  ----  ---------  ----  --------  ----  -----  ---------  -----  -------  --------
                 total                            45 s  0.000343  1235  0.123  0.11-0.14  table

                balance: metered 2000 J = jobs 1235 J + system 200 J + mld 65.5 J + idle 500 J + gap 0 J, residual 0 µJ

                - power from a table of watts per vCPU (Cloud Carbon Footprint, 2023)

                """)
        }
    }

    @Test func byDay() async throws {
        try await FakeServer.with(["GET /v1/report": [try .json(Samples.report(by: .day))]]) { server in
            let outcome = await Terminal().run(["report", "--by", "day"], socket: server.socket)
            expectSnapshot(
                outcome.out,
                """
                2026-11-24T07:01:00Z to 2026-11-24T09:01:00Z, by day

                DAY         JOBS  TIME       kWh     J  gCO2e   LOW-HIGH  TIER
                2026-11-24     1  45 s  0.000343  1235  0.123  0.11-0.14  table
                (idle)               -  0.000139   500   0.05  0.04-0.06  table
                ----------  ----  ----  --------  ----  -----  ---------  -----
                total          1  45 s  0.000343  1235  0.123  0.11-0.14  table

                balance: metered 2000 J = jobs 1235 J + system 200 J + mld 65.5 J + idle 500 J + gap 0 J, residual 0 µJ

                - power from a table of watts per vCPU (Cloud Carbon Footprint, 2023)

                """)
        }
    }

    /// Columns that are there only where there is something in them.
    @Test func embodiedWaterAndWaste() async throws {
        var report = Samples.report()
        (report.rows[0].embodiedG, report.rows[0].sciPerJobG, report.rows[0].sciPerEpochG) = (0.5, 0.62345, 0.062345)
        (report.rows[0].wasteJ, report.rows[0].overReservedJ, report.rows[0].figures.waterL) = (100, 34, 0.00061)
        try await FakeServer.with(["GET /v1/report": [try .json(report)]]) { server in
            let outcome = await Terminal().run(
                ["report", "--basis", "marginal", "--by", "job"], socket: server.socket)
            #expect(outcome.status == 0)
            #expect(server.asked.map(\.target) == ["/v1/report?by=job&basis=marginal"])
            let head = "EMBODIED g  SCI g/JOB  SCI g/EPOCH  WATER L  WASTE J  UNUSED J\n"
            let row = "       0.5      0.623       0.0623  0.00061      100        34\n"
            #expect(outcome.out.contains(head) && outcome.out.contains(row), "\(outcome.out)")
        }
    }

    @Test func csv() async throws {
        try await FakeServer.with(["GET /v1/report": [try .json(Samples.report())]]) { server in
            let outcome = await Terminal().run(["report", "--format", "csv"], socket: server.socket)
            let lines = outcome.out.split(separator: "\r\n", omittingEmptySubsequences: false)
            #expect(lines.count == 4)
            #expect(lines[1].hasPrefix("7,fashion,ada,succeeded,1,45,1234.5,1100,1400,1200.5,34,0.12345,"))
            #expect(lines[2].hasPrefix("(idle),,,,0,0,500,"))
            #expect(lines[3].isEmpty)
        }
    }

    @Test func json() async throws {
        try await FakeServer.with(["GET /v1/report": [try .json(Samples.report())]]) { server in
            let outcome = await Terminal().run(["report", "--format", "json"], socket: server.socket)
            let expected = try JSON.text(Samples.report(), pretty: true) + "\n"
            #expect(outcome.out == expected)
            for key in ["period", "rows", "totals", "energy_j", "carbon_g", "duration_s"] {
                #expect(outcome.out.contains("\"\(key)\" : "))
            }
        }
    }

    @Test func timesMayBeHowLongAgo() async throws {
        try await FakeServer.with(["GET /v1/report": [try .json(Samples.report())]]) { server in
            let arguments = ["report", "--since", "7 d", "--until", "2026-11-24T01:00:00+01:00"]
            #expect(await Terminal().run(arguments, socket: server.socket).status == 0)
            let target = "/v1/report?since=2026-11-17T08%3A02%3A00.000Z&until=2026-11-24T00%3A00%3A00.000Z"
            #expect(server.asked.map(\.target) == [target])
        }
    }

    @Test(arguments: [["--since", "soon"], ["--by", "moon"], ["--since", "2026-02-01", "--until", "2026-01-01"]])
    func nonsenseIsUsage(arguments: [String]) async throws {
        let outcome = await Terminal().run(["report"] + arguments, socket: "/nonexistent/mld.sock")
        #expect(outcome.status == 2)
        #expect(!outcome.err.isEmpty)
    }

    private static let head = String(repeating: "ab", count: 32)

    @Test func auditOfAWholeLedger() async throws {
        let report = AuditReport(
            findings: [], rows: ["spans": 120, "jobs": 3], entries: 17, head: Self.head, unsealedRows: 12,
            at: Samples.at(0))
        try await FakeServer.with(["GET /v1/audit": [try .json(report)]]) { server in
            let outcome = await Terminal().run(["report", "--audit"], socket: server.socket)
            #expect(outcome.status == 0)
            expectSnapshot(
                outcome.out,
                """
                the ledger is what mld wrote

                rows recomputed: 3 of jobs, 120 of spans
                chain: 17 entries, last hash \(Self.head)
                not sealed yet: 12 rows of the last minutes, checked for balance, range and carbon only

                """)
        }
    }

    @Test func auditOfAnEditedLedger() async throws {
        let report = AuditReport(
            findings: [
                .init(check: "chain", row: "spans minute=28400000 domain_id=1", problem: "it is not what mld wrote")
            ], rows: [:], entries: 3, head: Self.head, unsealedRows: 0, at: Samples.at(0))
        try await FakeServer.with(["GET /v1/audit": [try .json(report), try .json(report)]]) { server in
            let outcome = await Terminal().run(["report", "--audit"], socket: server.socket)
            #expect(outcome.status == 1)
            expectSnapshot(
                outcome.out,
                """
                THE LEDGER IS NOT WHAT MLD WROTE
                - chain: spans minute=28400000 domain_id=1: it is not what mld wrote

                rows recomputed: none are sealed yet
                chain: 3 entries, last hash \(Self.head)

                """)
            let json = await Terminal().run(["report", "--audit", "--format", "json"], socket: server.socket)
            #expect(json.status == 1 && json.out.contains("\"ok\" : false"))
        }
    }

    @Test(arguments: [["--format", "csv"], ["--by", "user"], ["--basis", "full"]])
    func anAuditIsOfTheWholeLedger(options: [String]) async throws {
        let outcome = await Terminal().run(["report", "--audit"] + options, socket: "/nowhere")
        #expect(outcome.status == 2 && outcome.err.contains("audit"))
    }
}
