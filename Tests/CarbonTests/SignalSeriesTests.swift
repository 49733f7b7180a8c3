import Carbon
import TestSupport
import Testing
import Units

private func at(_ seconds: Double) -> Timestamp { Timestamp(seconds: 1_600_000_000 + seconds) }

private func series(_ values: [Double], step: Duration = .seconds(1800), from: Double = 0) throws -> SignalSeries {
    try SignalSeries(start: at(from), step: step, values: values)
}

@Suite struct SignalSeriesTests {
    @Test func aValueHoldsFromItsStepToTheNext() throws {
        let series = try series([100, 200, 400])
        #expect(series.end == at(5400))
        #expect(series.value(at: at(0)) == 100 && series.value(at: at(1799.999999)) == 100)
        #expect(series.value(at: at(1800)) == 200 && series.value(at: at(5399)) == 400)
        #expect(series.value(at: at(-0.000001)) == nil && series.value(at: at(5400)) == nil)
        #expect(series.index(at: at(3600)) == 2 && series.time(at: 2) == at(3600))
    }

    @Test func aMeanIsWeightedByTime() throws {
        let series = try series([100, 200, 400])
        // 10 min at 100, 30 at 200, 20 at 400.
        #expect(series.mean(at(1200), at(4800)) == 250)
        #expect(series.integral(at(0), at(900)) == 90_000)
        #expect(series.mean(at(60), at(61)) == 100)
        #expect(series.integral(at(70), at(70)) == 0 && series.mean(at(70), at(70)) == nil)
    }

    @Test func whatIsNotCoveredHasNoMean() throws {
        let series = try series([100, 200])
        #expect(series.mean(at(-1), at(100)) == nil && series.mean(at(100), at(3601)) == nil)
        #expect(series.mean(at(200), at(100)) == nil && series.integral(at(200), at(100)) == nil)
        #expect(series.integral(at(5000), at(5000)) == nil)
        #expect(series.covers(at(0), at(3600)) && !series.covers(at(0), at(3600.5)))
    }

    @Test func aPartHasTheSameValuesAtTheSameTimes() throws {
        let series = try series([1, 2, 3, 4])
        #expect(series.part(at(1900), at(5400))?.values == [2, 3])
        #expect(series.part(at(1900), at(5401))?.values == [2, 3, 4])
        #expect(series.part(at(1900), at(5400))?.start == at(1800))
        #expect(series.part(at(-9999), at(99_999)) == series)
        #expect(series.part(at(7200), at(9000)) == nil && series.part(at(60), at(60)) == nil)
    }

    @Test func resamplingTakesTheStartOrTheMean() throws {
        let quarters = try series([1, 2, 3, 4, 5], step: .seconds(900))
        #expect(try quarters.resampled(to: .seconds(1800), by: .atStart).values == [1, 3])
        #expect(try quarters.resampled(to: .seconds(1800), by: .mean).values == [1.5, 3.5])
        #expect(try quarters.resampled(to: .seconds(450), by: .mean).values == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
        #expect(try quarters.resampled(to: .seconds(1200), by: .mean).values[0] == 1.25)
        #expect(throws: CarbonError.self) { try quarters.resampled(to: .seconds(7200), by: .mean) }
        #expect(throws: CarbonError.self) { try quarters.resampled(to: .milliseconds(500), by: .mean) }
        #expect(throws: CarbonError.self) { try quarters.resampled(to: .zero, by: .mean) }
    }

    @Test(arguments: [[], [1, .nan], [.infinity], [1e8], [-1e8]] as [[Double]])
    func valuesWithoutSenseAreRefused(values: [Double]) {
        let error = #expect(throws: CarbonError.self) { try series(values) }
        #expect(error?.code == .badSignal)
    }

    @Test(arguments: [.zero, .seconds(-5), .milliseconds(1500), .seconds(40_000_000)] as [Duration])
    func stepsWithoutSenseAreRefused(step: Duration) {
        #expect(throws: CarbonError.self) { try series([1], step: step) }
    }

    @Test func timesAtTheEndsOfTheIntegersDoNotTrap() throws {
        for start in [Int64.min, .max, .max - 5] {
            #expect(throws: CarbonError.self) {
                try SignalSeries(start: Timestamp(microseconds: start), step: .seconds(60), values: [1])
            }
        }
        let series = try series([1, 2])
        for time in [Timestamp(microseconds: .min), Timestamp(microseconds: .max)] {
            #expect(series.value(at: time) == nil && !series.covers(time, time))
        }
        #expect(series.part(Timestamp(microseconds: .min), Timestamp(microseconds: .max)) == series)
    }

    /// Against adding second by second.
    @Test(arguments: Array(1...20) as [UInt64])
    func integralsAreSums(seed: UInt64) throws {
        var random = Seeded(seed)
        let step = Int.random(in: 1...7, using: &random)
        let values = (0..<30).map { _ in Double.random(in: -50...900, using: &random) }
        let series = try series(values, step: .seconds(step))
        for _ in 0..<50 {
            let from = Int.random(in: 0...(30 * step), using: &random)
            let to = Int.random(in: from...(30 * step), using: &random)
            let sum = (from..<to).reduce(0.0) { $0 + values[$1 / step] }
            let integral = try #require(series.integral(at(Double(from)), at(Double(to))))
            #expect(abs(integral - sum) < 1e-6)
        }
    }
}
