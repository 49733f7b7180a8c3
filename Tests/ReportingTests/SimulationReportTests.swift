import JobAPI
import Testing
import Units

@testable import Reporting

@Suite struct SimulationReportTests {
    private static func figures(wait: Double, energy: Double, carbon: Double?, missed: Int = 0) -> SimulationFigures {
        var figures = SimulationFigures()
        figures.jobs = 3
        figures.jobsFinished = 3
        figures.waitMeanS = wait
        figures.waitMedianS = wait / 2
        figures.p95WaitS = wait * 2
        figures.waitMaxS = wait * 3
        figures.boundedSlowdownMean = 1.5
        figures.makespanS = 7200
        figures.cpuUtilisationPercent = 50
        figures.energyJ = energy
        figures.jobsEnergyJ = energy
        figures.peakW = 400
        figures.carbonG = carbon
        figures.deadlines = 2
        figures.deadlinesMissed = missed
        return figures
    }

    private static let curves = SimulationCurves(
        begin: Timestamp(seconds: 0), stepS: 3600, powerW: [100, 400], waitByPercentS: [0, 5, 60],
        carbonByHourG: Array(repeating: 2, count: 24))

    private static let report = SimulationReport(
        trace: "log<1>.swf",
        rows: [
            .init(name: "now", figures: figures(wait: 60, energy: 3.6e6, carbon: 400, missed: 1), curves: curves),
            .init(
                name: "<b>new</b>", figures: figures(wait: 90, energy: 3.6e6, carbon: 300), curves: curves,
                notes: ["1 refused: too large"]),
        ], notes: ["left out 1"])

    private static let sweep = SweepReport(
        trace: "log.swf", knob: "queue.batch.priority",
        rows: [
            .init(value: "=1", figures: figures(wait: 60, energy: 3.6e6, carbon: 400), isBest: true),
            .init(value: "2", figures: figures(wait: 90, energy: 3.6e6, carbon: 500), notes: ["x"]),
        ])

    @Test func twoPoliciesSideBySide() {
        #expect(
            table(Self.report, style: .plain) == """
                log<1>.swf

                FIGURE                    now  <b>new</b>    CHANGE
                jobs finished               3           3
                wait, mean              1 min  1 min 30 s   +50.0 %
                wait, median             30 s        45 s   +50.0 %
                wait, 95 %              2 min       3 min   +50.0 %
                wait, longest           3 min  4 min 30 s   +50.0 %
                bounded slowdown, mean    1.5         1.5
                makespan                  2 h         2 h
                CPUs in use, %           50.0        50.0
                energy, kWh                 1           1
                  of jobs, kWh              1           1
                  idle, kWh                 0           0
                peak, W                   400         400
                carbon, gCO2e             400         300   -25.0 %
                deadlines missed            1           0  -100.0 %

                - left out 1
                - <b>new</b>: 1 refused: too large

                """)
    }

    /// Each is held against the first. Users are those with the most jobs, and who has none started does not wait no time.
    @Test func threePoliciesAndTheirUsers() {
        var report = Self.report
        report.rows.append(
            .init(name: "third", figures: Self.figures(wait: 30, energy: 3.6e6, carbon: 500), curves: Self.curves))
        for (index, waits) in [[60.0, 90], [30, 120], [60, 0]].enumerated() {
            report.rows[index].figures.users = [
                .init(user: "ada", jobs: 1, waitMeanS: waits[0], p95WaitS: waits[0] * 2, energyJ: 1, carbonG: nil),
                .init(
                    user: "bob", jobs: index == 2 ? 0 : 2, waitMeanS: waits[1], p95WaitS: waits[1] * 2, energyJ: 1,
                    carbonG: nil),
            ]
        }
        let text = table(report, style: .plain)
        #expect(
            text.hasPrefix(
                """
                log<1>.swf

                FIGURE                    now  <b>new</b>    CHANGE       third    CHANGE
                jobs finished               3           3                     3
                wait, mean              1 min  1 min 30 s   +50.0 %        30 s   -50.0 %

                """), "\(text)")
        #expect(
            text.contains(
                """

                WAIT BY USER         now  <b>new</b>   CHANGE  third  CHANGE
                bob           1 min 30 s       2 min  +33.3 %      -
                bob, 95 %          3 min       4 min  +33.3 %      -
                ada                1 min        30 s  -50.0 %  1 min
                ada, 95 %          2 min       1 min  -50.0 %  2 min

                """), "\(text)")
        #expect(report.waitLines(most: 1).map(\.first) == ["bob", "bob, 95 %", "(and 1 more)"])
        let page = html(report)
        #expect(page.contains("<th>third</th>") && page.contains("WAIT BY USER") && page.components(of: "CHANGE") == 4)
        #expect(csv(report).split(separator: "\r\n").count == 4)
    }

    @Test func theBestValuesAreMarked() {
        #expect(
            table(Self.sweep, style: .plain) == """
                log.swf

                queue.batch.priority  BEST        WAIT   95 %  kWh  gCO2e  PEAK W  MISSED
                =1                    *          1 min  2 min    1    400     400       0
                2                           1 min 30 s  3 min    1    500     400       0

                * no other value has both less carbon and a shorter mean wait

                - x

                """)
    }

    @Test func csvHasALinePerReplayAndNoFormulas() {
        let lines = csv(Self.report).split(separator: "\r\n")
        #expect(lines.count == 3)
        #expect(lines[0].hasPrefix("policy,jobs,jobs_finished,"))
        #expect(
            lines[1].hasPrefix(
                "now,3,3,0,0,0,60,30,120,180,1.5,7200,50,,3600000,3600000,0,0,400,400,,,,,,0,,0,2,1,0,0"))
        let turned = csv(Self.sweep).split(separator: "\r\n")
        #expect(turned[0].hasPrefix("queue.batch.priority,is_best,jobs,"))
        #expect(turned[1].hasPrefix("'=1,true,3,"))
        #expect(lines.allSatisfy { $0.split(separator: ",", omittingEmptySubsequences: false).count == 32 })
    }

    @Test func thePageHasItsDiagramsAndNoScript() {
        let page = html(Self.report)
        #expect(page.hasPrefix("<!DOCTYPE html>"))
        #expect(page.components(of: "<svg") == 3)
        #expect(page.components(of: "</svg>") == 3)
        #expect(page.contains("default-src 'none'"))
        #expect(!page.contains("<script"))
        #expect(!page.contains("<b>new"))
        #expect(page.contains("&lt;b&gt;new&lt;/b&gt;"))
        #expect(page.contains("log&lt;1&gt;.swf"))
        for word in ["Power over time", "How many jobs waited no longer", "Carbon by hour of the day", "-25.0 %"] {
            #expect(page.contains(word), "\(word)")
        }
        #expect(!page.contains("nan"))
    }

    @Test func theCurveOfASweepFillsTheBestPointsAlone() {
        let page = html(Self.sweep)
        #expect(page.components(of: "<svg") == 1)
        #expect(page.components(of: "<circle") == 2)
        #expect(page.components(of: "r=\"4\" stroke=\"#d9730d\" stroke-width=\"1.6\" fill=\"#d9730d\"") == 1)
        #expect(page.components(of: "fill=\"none\"/>\n<text") == 1)
    }

    @Test func aReportOfNothingIsAPageToo() {
        #expect(html(SimulationReport(trace: "x", rows: [])).contains("no data"))
        #expect(html(SweepReport(trace: "x", knob: "a.b", rows: [])).contains("no data"))
    }

    @Test(arguments: [(0.0, 7.0, ["0", "2", "4", "6", "8"]), (0, 0.03, ["0", "0.01", "0.02", "0.03"]), (5, 5, ["5"])])
    func ticksAreRound(low: Double, high: Double, labels: [String]) {
        #expect(Plot.roundTicks(low, high).map(\.label) == labels)
    }
}

extension String {
    /// How often `part` occurs.
    fileprivate func components(of part: String) -> Int {
        var count = 0
        var rest = self[...]
        while let found = rest.firstRange(of: part) {
            count += 1
            rest = rest[found.upperBound...]
        }
        return count
    }
}
