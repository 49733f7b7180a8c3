import Carbon
import Policy
import Scheduling
import TestSupport
import Testing
import Units

@testable import Simulation

/// Rules, limits and reservations in a replay: the same code as the daemon's.
@Suite struct RuleReplayTests {
    private func series(_ values: [Double]) throws -> SignalSeries {
        // Whole hours around the test's time, 22:13:20.
        try SignalSeries(start: t(-800), step: .seconds(3600), values: values)
    }

    @Test func theGridSuspendsAndLetsGoOn() throws {
        let rules = try policy(
            """
            [queue.batch]
            default = true
            defer = { suspend-above = "400 g/kWh", resume-below = "300 g/kWh" }
            """)
        var job = traced("a", at: 0, run: 6000)
        job.interruptible = true
        let trace = Trace(jobs: [job, traced("b", at: 10, run: 6000)])
        let forecast = SimulatedForecast(.perfect, intensity: try series([200, 500, 350, 250, 250, 250]))
        let log = Replay.run(trace, under: rules, on: machine(2), options: .init(forecast: forecast))
        // From 23:00 on it is dirty, from 01:00 on clean again.
        #expect(log.runs[0].suspensions == 1)
        #expect(log.ends == [10_000 + 3200, 6010])
        #expect(!log.notes.contains { $0.contains("not replayed") })
    }

    @Test func aRuleHoldsByTheHour() throws {
        let rules = try policy(
            "[[rule]]\nname = \"late\"\nmatch = { hour = \"22-23\", user = \"u\" }\nthen = \"hold\"\n[limits]\nmax-running-per-user = 1\n"
        )
        var trace = Trace(
            jobs: [traced("a", at: -10_000, run: 9500, user: 0), traced("b", at: -9000, run: 10, user: 0)])
        trace.users = ["u"]
        // Job b could start at -500, which is in the rule's hour: it waits for 23:00.
        let log = Replay.run(trace, under: rules, on: machine(2))
        #expect(log.starts == [-10_000, 2800])
    }

    @Test func aReservationKeepsOthersOut() throws {
        let rules = try policy(
            """
            [reservation.course]
            hour = "23-00"
            cpus = 2
            user = "teacher"
            """)
        var trace = Trace(
            jobs: [
                traced("a", at: 0, run: 4000, limit: 4000, user: 0),
                traced("b", at: 0, run: 1000, limit: 1000, user: 0),
                traced("c", at: 2800, run: 100, cpus: 2, limit: 100, user: 1),
            ])
        trace.users = ["guest", "teacher"]
        let log = Replay.run(trace, under: rules, on: machine(2))
        #expect(log.starts == [6400, 0, 2800])
    }

    /// Hours of the week come round for ever. A replay in which nothing else does ends.
    @Test func whatNoHourLetsStartEndsIt() throws {
        let rules = try policy("[reservation.r]\nhour = \"00-23\"\ncpus = 4\nuser = \"z\"\n")
        let trace = Trace(
            jobs: [traced("a", at: 0, run: 5400, limit: 5400), traced("b", at: 0, run: 1800, limit: 1800)])
        let log = Replay.run(trace, under: rules, on: machine(2))
        // The hour that is left is long enough for the second.
        #expect(log.starts == [nil, 2800])
        #expect(log.plans < 2000)
        #expect(
            log.notes == [
                "p.toml:3: reservation \"r\" keeps 4 cpus; jobs have at most 2 on this machine; keep no more than there is",
                "stopped at 2024-12-19T00:00:00Z with 1 job waiting: nothing had happened for 400 days",
            ])
    }

    /// What comes once is waited for, however long that takes.
    @Test func aReservationThatIsOverYearsLaterIsWaitedFor() throws {
        let once = "start = \"2023-01-01T00:00:00Z\"\nend = \"2033-01-01T00:00:00Z\"\n"
        let rules = try policy(
            "[reservation.r]\nhour = \"00-23\"\ncpus = 1\nuser = \"z\"\n[reservation.once]\n\(once)cpus = 1\nuser = \"z\"\n"
        )
        let trace = Trace(jobs: [traced("a", at: 0, run: 1800, cpus: 2, limit: 1800)])
        let log = Replay.run(trace, under: rules, on: machine(2))
        #expect(log.runs[0].started == (try Timestamp(parsing: "2033-01-01T23:00:00Z")))
        #expect(log.plans < 2000 && log.notes.isEmpty)
    }

    /// Without a series of prices what energy always costs is what rules ask for.
    @Test(arguments: [("hold", "0.3", nil), ("hold", "0.2", 0), ("deny", "0.3", nil)] as [(String, String, Double?)])
    func aConstantPriceIsTold(then: String, price: String, start: Double?) throws {
        let rules = try policy(
            "[carbon]\nprice = \"\(price) EUR/kWh\"\n[[rule]]\nname = \"dear\"\nthen = \"\(then)\"\n"
                + "match = { price-above = \"0.2 EUR/kWh\" }\n")
        let log = Replay.run(Trace(jobs: [traced("a", at: 0, run: 10)]), under: rules, on: machine(2))
        #expect(log.starts == [start])
        #expect(log.runs[0].state == (start != nil ? .finished : then == "deny" ? .refused : .waiting))
    }

    @Test func powerHoldsWhatWouldStart() throws {
        let rules = try policy(
            "[[rule]]\nname = \"calm\"\nmatch = { power-above = \"150 W\" }\nthen = \"hold\"\n")
        let trace = Trace(
            jobs: [
                traced("a", at: 0, run: 100, power: 100), traced("b", at: 10, run: 100, power: 100),
                traced("c", at: 20, run: 100, power: 100),
            ])
        // With two running the machine draws 200 W: the third waits for an end.
        let log = Replay.run(trace, under: rules, on: machine(4))
        #expect(log.starts == [0, 10, 100])
    }

    /// The limits hold at every moment of a long replay.
    @Test(arguments: Array(1...6) as [UInt64])
    func limitsHold(seed: UInt64) throws {
        let rules = try policy("[limits]\nmax-cpus-per-user = 5\nmax-running-per-user = 3\n")
        var trace = randomTrace(seed, jobs: 300, cpus: 5)
        trace.jobs.sort { $0.submit < $1.submit }
        let log = Replay.run(trace, under: rules, on: machine(12))
        #expect(log.runs.allSatisfy { $0.isOver })
        for user in 0..<3 as Range<Int32> {
            var edges: [(at: Timestamp, cpus: Int, count: Int)] = []
            for segment in log.segments where trace.jobs[Int(segment.job)].user == user {
                let cpus = trace.jobs[Int(segment.job)].request.cpus
                edges.append((segment.from, cpus, 1))
                edges.append((segment.to, -cpus, -1))
            }
            var (cpus, count) = (0, 0)
            for edge in edges.sorted(by: { $0.at == $1.at ? $0.cpus < $1.cpus : $0.at < $1.at }) {
                cpus += edge.cpus
                count += edge.count
                #expect(cpus <= 5 && count <= 3)
            }
        }
    }
}
