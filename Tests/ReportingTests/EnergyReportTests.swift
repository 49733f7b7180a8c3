import JobAPI
import Testing
import Units

@testable import Reporting

@Suite struct EnergyReportTests {
    private func report(_ rows: [EnergyReport.Row], balance: EnergyReport.Balance? = nil) -> EnergyReport {
        let start = Timestamp(microseconds: 0)
        return EnergyReport(
            period: .init(since: start, until: start), by: .job, rows: rows,
            totals: .init(key: "total", jobs: rows.count, durationS: 0, figures: .init()),
            balance: balance ?? .init(meteredUj: 0, jobsUj: 0, systemUj: 0, mldUj: 0, idleUj: 0, gapUj: 0), notes: [])
    }

    private func row(_ name: String, figures: EnergyFigures = .init(tier: .measured)) -> EnergyReport.Row {
        .init(key: "1", name: name, user: "u", state: .succeeded, jobs: 1, durationS: 1.5, figures: figures)
    }

    // MARK: - CSV

    @Test func csvIsRfc4180() {
        let text = csv(report([row("a,\"b\"\r\nc")]))
        #expect(text.hasPrefix("job,name,user,state,jobs,duration_s,energy_j,"))
        #expect(text.contains("\r\n1,\"a,\"\"b\"\"\r\nc\",u,succeeded,1,1.5,0,"))
        #expect(text.hasSuffix("\r\n"))
        // As many fields as headings, for a row without anything that needs quotes.
        let lines = csv(report([row("plain")])).split(separator: "\r\n")
        let counts = lines.map { $0.split(separator: ",", omittingEmptySubsequences: false).count }
        #expect(counts == [31, 31])
    }

    @Test(arguments: ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u{FF1D}1", "\u{A0}=1"])
    func formulasAreDefused(name: String) {
        #expect(field(name).drop { $0 == "\"" }.hasPrefix("'"))
    }

    @Test(arguments: ["a=1", "job-7", "(idle)", "", "ü"]) func plainTextsAreLeftAlone(name: String) {
        #expect(field(name) == name)
    }

    @Test func whatWasNotMeteredIsEmptyNotZero() {
        let text = csv(report([row("x", figures: .init())]))
        #expect(text.contains("\r\n1,x,u,succeeded,1,1.5,,,,,,,,,,0,,,,,,,,,,,,,,,\r\n"))
    }

    @Test func numbersThatAreNoneAreEmpty() {
        let text = csv(report([row("x", figures: .init(energyJ: .nan, carbonG: .infinity, tier: .gap))]))
        #expect(text.contains("1.5,,0,0,0,0,,0,0,gap,0"))
    }

    // MARK: - Balance

    @Test func balanceIsChecked() {
        let even = EnergyReport.Balance(meteredUj: 15, jobsUj: 1, systemUj: 2, mldUj: 3, idleUj: 4, gapUj: 5)
        #expect(balanceLine(even).hasSuffix("gap 0.000005 J, residual 0 µJ"))
        var off = even
        off.meteredUj = 16
        #expect(balanceLine(off).contains("RESIDUAL 1 µJ: this is a fault of mld"))
        // A sum beyond 64 bits must neither trap nor pass for balanced.
        let wild = EnergyReport.Balance(
            meteredUj: .max, jobsUj: .min, systemUj: .min, mldUj: .max, idleUj: 0, gapUj: 0)
        #expect(balanceLine(wild).contains("RESIDUAL"))
    }

    // MARK: - Table

    @Test func jobsWithoutProgressHaveNoSuchColumns() {
        #expect(!table(report([row("x")]), style: .plain).contains("J/EPOCH"))
        var training = row("x")
        training.energyPerEpochJ = 12.345
        #expect(table(report([training]), style: .plain).contains("J/EPOCH"))
    }

    @Test func unmeteredIsADash() {
        let text = table(report([row("x", figures: .init())]), style: .plain)
        #expect(text.contains("\n    1  x     u     succeeded  1.5 s    -  -      -         -  -\n"))
    }

    @Test func hostileNumbersDoNotTrap() {
        var wild = row("x", figures: .init(energyJ: .infinity, carbonG: .nan, tier: .gap, gapS: -.infinity))
        wild.durationS = 1e300
        #expect(table(report([wild]), style: .plain).contains("inf"))
        _ = csv(report([wild]))
        #expect(energyLine(wild.figures).contains("gap"))
        #expect(brief(seconds: .nan) == "-")
    }
}
