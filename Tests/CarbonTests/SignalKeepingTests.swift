import FoundationEssentials
import Testing
import Units

@testable import Carbon

/// What a signal hands on: over a restart, to a loop that waits, to the books.
@Suite struct SignalKeepingTests {
    private func at(_ hours: Double) -> Timestamp { Timestamp(seconds: 1_800_000_000 + hours * 3600) }

    private func points(_ values: [Double], from first: Double = 0, hours: Double = 1) -> [SignalPoint] {
        values.enumerated().map { index, value in
            let start = first + Double(index) * hours
            return SignalPoint(from: at(start), to: at(start + hours), value: value)
        }
    }

    private func signal(now: Double = 0.5) -> Signal {
        var signal = Signal(.intensity, fallback: .init(value: 381, source: "table"), staleAfter: .seconds(7200))
        signal.receive(
            SignalReading(measured: points([300, 310], from: -1), forecast: points([250, 200], from: 1), zone: "DE"),
            source: "x", at: at(now))
        return signal
    }

    @Test func whatIsKeptIsKnownAgain() throws {
        let signal = signal()
        let archive = try #require(SignalArchive(signal, origin: "o"))
        let data = try JSONEncoder().encode(archive)
        let read = try JSONDecoder().decode(SignalArchive.self, from: data)
        #expect(read == archive)
        try read.check(.intensity, now: at(1))
        var again = Signal(.intensity, staleAfter: .seconds(7200))
        again.take(read)
        for hours in [-0.5, 0.2, 1.5, 2.5] {
            #expect(again.figure(at: at(hours), now: at(1)) == signal.figure(at: at(hours), now: at(1)), "\(hours)")
        }
        #expect(again.fetchedAt == at(0.5))
        #expect(SignalArchive(Signal(.intensity), origin: "o") == nil)
    }

    @Test func whatNobodyToldIsNotTaken() throws {
        let good = try #require(SignalArchive(signal(), origin: "o"))
        func isRefused(_ change: (inout SignalArchive) -> Void) -> Bool {
            var archive = good
            change(&archive)
            do {
                try archive.check(.intensity, now: at(1))
                return false
            } catch { return true }
        }
        #expect(!isRefused { _ in })
        #expect(isRefused { $0.fetchedAt = self.at(2) })
        #expect(isRefused { $0.measured[0].value = -5 })
        #expect(isRefused { $0.measured[0].value = .nan })
        #expect(isRefused { $0.measured.swapAt(0, 1) })
        #expect(isRefused { $0.measured[0].to = $0.measured[0].from })
        #expect(isRefused { $0.forecast[0].known = nil })
        #expect(isRefused { $0.forecast[1].to = self.at(24 * 365) })
        for text in ["[1, 2]", "[1, 2, \"x\", 3]", "[-9223372036854775808, 9223372036854775807, 1, 1]"] {
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode(SignalPoint.self, from: Data(text.utf8))
            }
        }
    }

    @Test func theNextChangeIsWhereAPointEndsOrIsTooOld() {
        let signal = signal()
        #expect(signal.nextChange(after: at(0.5)) == at(1))
        #expect(signal.nextChange(after: at(1)) == at(2))
        // Two hours after it was told the forecast is none any more.
        #expect(signal.nextChange(after: at(2.2)) == at(2.5).advanced(by: .microseconds(1)))
        #expect(signal.figure(at: at(2.5), now: at(2.5))?.origin == .forecast)
        #expect(signal.figure(at: at(2.6), now: at(2.6))?.origin != .forecast)
        #expect(Signal(.intensity, fallback: .init(value: 1, source: "t")).nextChange(after: at(0)) == nil)
        // Nothing is left out between: whenever the figure is another, a change was told before.
        var time = at(0.5)
        while let next = signal.nextChange(after: time), next < at(200) {
            let middle = Timestamp(microseconds: (time.microseconds + next.microseconds) / 2)
            let (a, b) = (signal.figure(at: middle, now: middle), signal.figure(at: time, now: time))
            #expect(a?.value == b?.value && a?.origin == b?.origin, "\(time) \(middle)")
            time = next
        }
        #expect(time > at(100))
    }

    @Test func slotsAreAsShortAsWhatIsTold() {
        #expect(signal().planningStep(now: at(0.5)) == .seconds(1800))
        var short = Signal(.intensity)
        for (minutes, step) in [(15.0, 900), (5, 300), (1, 60), (0.5, 60), (7, 300)] {
            short = Signal(.intensity)
            short.receive(
                SignalReading(forecast: points([1, 2, 3], hours: minutes / 60)), source: "x", at: at(0))
            #expect(short.planningStep(now: at(0)) == .seconds(step), "\(minutes)")
        }
    }

    @Test func aSiteUnderASignal() throws {
        let site = try SiteCarbon(zone: nil, pue: 1.2, table: .builtIn())
        let signal = signal()
        let told = try #require(signal.figure(at: at(0.5), now: at(0.5)))
        let priced = site.under(told, errorPercent: 10)
        #expect(priced.intensity.gramsPerKilowattHour == 310 && priced.source == "x, zone DE, measured")
        // What was measured has no range of the world's, and the building is the same.
        #expect(priced.lowIntensity == priced.intensity && priced.highIntensity == priced.intensity)
        #expect(priced.pue == 1.2)
        let ahead = try #require(signal.figure(at: at(1.5), now: at(1.5)))
        let expected = site.under(ahead, errorPercent: 10)
        #expect(expected.source == "x, zone DE, forecast")
        #expect(expected.lowIntensity.gramsPerKilowattHour == 225)
        #expect((expected.highIntensity.gramsPerKilowattHour - 275).magnitude < 1e-9)
        let table = try #require(signal.figure(at: at(9000), now: at(9000)))
        #expect(table.origin == .table && site.under(table, errorPercent: 10) == site)
    }
}
