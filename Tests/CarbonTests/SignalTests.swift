import TestSupport
import Testing
import Units

@testable import Carbon

/// A whole number of weeks since 1970.
private let monday = 2900.0 * 7 * 86400

private func at(hours: Double) -> Timestamp { Timestamp(seconds: monday + hours * 3600) }

private func points(from first: Int, _ values: [Double]) -> [SignalPoint] {
    values.enumerated().map { index, value in
        SignalPoint(from: at(hours: Double(first + index)), to: at(hours: Double(first + index + 1)), value: value)
    }
}

private func measured(from first: Int, _ values: [Double]) -> SignalReading {
    SignalReading(measured: points(from: first, values), zone: "DE")
}

private func forecast(from first: Int, _ values: [Double]) -> SignalReading {
    SignalReading(forecast: points(from: first, values), zone: "DE")
}

/// Low at noon, lower at weekends.
private func typical(_ hour: Int) -> Double {
    let ofDay = (hour % 24 + 24) % 24
    let ofWeek = (hour % 168 + 168) % 168
    return 400 - (ofDay >= 10 && ofDay < 16 ? 200 : 0) - (ofWeek >= 120 ? 80 : 0)
}

@Suite struct SignalTests {
    private let table = Signal.Fallback(value: 381, source: "Germany 2023")

    @Test func theTableHoldsWhereNothingElseIs() throws {
        let signal = Signal(.intensity, fallback: table)
        #expect(
            signal.figure(at: at(hours: 3), now: at(hours: 1))
                == Signal.Figure(value: 381, origin: .table, source: "Germany 2023", age: nil))
        #expect(signal.planningSeries(now: at(hours: 0), ahead: .seconds(86400)) == nil)
        #expect(Signal(.price).figure(at: at(hours: 3), now: at(hours: 1)) == nil)
        let entry = try CarbonTable.builtIn().lookup(zone: "DE")
        #expect(Signal.Fallback(entry).value == 380.95 && Signal.Fallback(entry).source.contains("Germany 2023"))
    }

    @Test func whatWasMeasuredWinsOverWhatWasForecast() {
        var signal = Signal(.intensity, fallback: table)
        signal.receive(forecast(from: 0, [300, 310, 320]), source: "x", at: at(hours: 0))
        signal.receive(measured(from: 0, [280]), source: "Electricity Maps", at: at(hours: 1))
        #expect(
            signal.figure(at: at(hours: 0.5), now: at(hours: 1.5))
                == Signal.Figure(
                    value: 280, origin: .measured, source: "Electricity Maps, zone DE", age: .seconds(1800)))
        let ahead = signal.figure(at: at(hours: 2), now: at(hours: 1.5))
        #expect(ahead?.value == 320 && ahead?.origin == .forecast && ahead?.age == .seconds(5400))
        #expect(signal.figure(at: at(hours: -1), now: at(hours: 1.5))?.origin == .table)
        #expect(signal.fetchedAt == at(hours: 1))
        // A newer forecast takes the place of an older one where both tell.
        signal.receive(forecast(from: 2, [333]), source: "x", at: at(hours: 1.25))
        #expect(signal.figure(at: at(hours: 2), now: at(hours: 1.5))?.value == 333)
        #expect(signal.figure(at: at(hours: 2), now: at(hours: 1.5))?.age == .seconds(900))
        #expect(signal.figure(at: at(hours: 1.9), now: at(hours: 1.5))?.value == 310)
    }

    @Test func aStaleForecastIsNotUsed() {
        var signal = Signal(.intensity, fallback: table, staleAfter: .seconds(6 * 3600))
        signal.receive(
            forecast(from: 0, [Double](repeating: 100, count: 48)), source: "x", at: at(hours: 0))
        #expect(signal.figure(at: at(hours: 20), now: at(hours: 6))?.origin == .forecast)
        #expect(signal.figure(at: at(hours: 20), now: at(hours: 6.01))?.origin == .table)
        // With a past there is the model in between.
        signal.receive(
            measured(from: -30, (-30..<0).map { typical($0) }), source: "x", at: at(hours: 0))
        #expect(signal.figure(at: at(hours: 20), now: at(hours: 6))?.origin == .forecast)
        let figure = signal.figure(at: at(hours: 20), now: at(hours: 6.01))
        #expect(figure?.origin == .model && figure?.source == "expected from the past of x, zone DE")
        // It ended at 0.
        #expect(figure?.age == .seconds(6.01 * 3600))
    }

    @Test func theLastFigureStandsInForTwoHours() {
        var signal = Signal(.intensity, fallback: table)
        signal.receive(measured(from: 0, [280]), source: "x", at: at(hours: 0.5))
        #expect(signal.figure(at: at(hours: 0.9), now: at(hours: 0.5))?.origin == .measured)
        #expect(signal.figure(at: at(hours: 2.99), now: at(hours: 1.2))?.value == 280)
        #expect(signal.figure(at: at(hours: 2.99), now: at(hours: 1.2))?.origin == .model)
        #expect(signal.figure(at: at(hours: 3), now: at(hours: 1.2))?.origin == .table)
    }

    @Test func aWeekWithoutNewsEndsTheModel() {
        var signal = Signal(.intensity, fallback: table)
        signal.receive(measured(from: -400, (-400..<0).map { typical($0) }), source: "x", at: at(hours: 0))
        #expect(signal.figure(at: at(hours: 168), now: at(hours: 168))?.origin == .model)
        #expect(signal.figure(at: at(hours: 169), now: at(hours: 168.01))?.origin == .table)
    }

    /// A file that holds a whole year has measured only what has been.
    @Test func whatIsToComeIsAForecast() {
        var signal = Signal(.price)
        signal.receive(measured(from: 0, [0.3, 0.2, 0.1]), source: "prices.csv", at: at(hours: 1.5))
        #expect(signal.figure(at: at(hours: 1), now: at(hours: 1.5))?.origin == .measured)
        #expect(signal.figure(at: at(hours: 2), now: at(hours: 1.5))?.origin == .forecast)
        #expect(signal.quantity.text(0.1) == "0.1 per kWh")
    }

    @Test func theSeriesEndsWhereOnlyTheTableIsLeft() throws {
        var signal = Signal(.intensity, fallback: table)
        signal.receive(measured(from: 0, [280]), source: "x", at: at(hours: 0.7))
        signal.receive(forecast(from: 1, [300, 310]), source: "x", at: at(hours: 0.7))
        let series = try #require(signal.planningSeries(now: at(hours: 0.75), ahead: .seconds(86400)))
        #expect(series.start == at(hours: 0.5) && series.step == .seconds(1800))
        #expect(series.values == [280, 300, 300, 310, 310])
        #expect(
            signal.planningSeries(now: at(hours: 0.75), ahead: .seconds(3600), step: .seconds(3600))?.values
                == [280, 300])
        #expect(signal.planningSeries(now: at(hours: 90), ahead: .seconds(86400)) == nil)
    }

    @Test func oldPointsAreForgotten() {
        var signal = Signal(.intensity)
        for day in 0..<100 {
            let (first, end) = (day * 24, day * 24 + 24)
            signal.receive(
                measured(from: first, (first..<end).map { typical($0) }), source: "x", at: at(hours: Double(end)))
            signal.receive(
                forecast(from: end, (end..<(end + 30)).map { typical($0) }), source: "x", at: at(hours: Double(end)))
        }
        #expect(signal.measured.count <= ForecastModel.historyHours + 24)
        #expect(signal.forecast.count <= 4 * 24)
        // The forecasts were exact.
        #expect(signal.score.errors[1] == 0 && signal.score.errors[24] == 0)
    }

    @Test func theErrorOfASourcesForecastsIsKept() throws {
        var signal = Signal(.intensity)
        for hour in 0..<60 {
            // What is an hour ahead is said 10 % too high, what is 6 ahead 20 % too low.
            let values = (hour..<(hour + 30)).map { typical($0) * ($0 == hour + 1 ? 1.1 : $0 == hour + 6 ? 0.8 : 1) }
            signal.receive(forecast(from: hour, values), source: "x", at: at(hours: Double(hour)))
            signal.receive(measured(from: hour, [typical(hour)]), source: "x", at: at(hours: Double(hour) + 0.1))
        }
        let errors = signal.score.errors
        #expect(abs(try #require(errors[1]) - 10) < 1e-6)
        #expect(abs(try #require(errors[6]) - 20) < 1e-6)
        #expect(abs(try #require(errors[24])) < 1e-6)
    }
}

@Suite struct ForecastModelTests {
    @Test func aWeekThatRepeatsIsForetold() throws {
        let history = HourlyHistory(first: 0, values: (0..<800).map { typical($0) })
        let model = ForecastModel(history)
        #expect(model.isFitted && model.dayWeight == 0)
        for hours in ForecastModel.horizons { #expect(abs(try #require(model.errors[hours])) < 1e-9) }
        for ahead in [0, 1, 30, 167, 168, 400] {
            let time = Timestamp(microseconds: Int64(800 + ahead) * HourlyHistory.length)
            #expect(abs(try #require(model.value(at: time, history)) - typical(800 + ahead)) < 1e-9)
        }
    }

    @Test func aDayThatIsOffIsCarriedOnAndFades() throws {
        // One day as the other, but since ten hours all is 100 higher.
        let history = HourlyHistory(first: 0, values: (0..<60).map { 200 + Double($0 % 24) + ($0 >= 50 ? 100 : 0) })
        let model = ForecastModel(history)
        #expect(!model.isFitted)
        func value(_ hour: Int) throws -> Double {
            try #require(model.value(at: Timestamp(microseconds: Int64(hour) * HourlyHistory.length), history))
        }
        #expect(abs(try value(60) - (212 + 100 * model.memory)) < 1e-9)
        let (near, far) = (try value(60) - 212, try value(71) - 223)
        #expect(far > 0 && far < near)
    }

    @Test func weightsAreChosenByTheLowestError() {
        var random = Seeded(3)
        // Each day is like the one before, up to a walk.
        var level = 300.0
        let walk = HourlyHistory(
            first: 0,
            values: (0..<900).map { hour in
                if hour % 24 == 0 { level += Double.random(in: -60...60, using: &random) }
                return level + Double(hour % 24)
            })
        #expect(ForecastModel(walk).dayWeight > 0.5)
        // And here like the one a week before.
        var week = (0..<7).map { _ in Double.random(in: 100...500, using: &random) }
        let weekly = HourlyHistory(
            first: 0,
            values: (0..<900).map { hour in
                if hour % 168 == 0 { week = week.map { $0 + Double.random(in: -9...9, using: &random) } }
                return week[hour / 24 % 7] + Double(hour % 24)
            })
        #expect(ForecastModel(weekly).dayWeight < 0.5)
    }

    @Test func aShortPastSaysNothingAndAGapLittle() {
        #expect(ForecastModel(HourlyHistory(first: 0, values: [])) == ForecastModel())
        let short = HourlyHistory(first: 0, values: [Double?](repeating: 5, count: 20))
        let model = ForecastModel(short)
        #expect(model.errors.isEmpty)
        #expect(model.value(at: Timestamp(microseconds: 22 * HourlyHistory.length), short) == nil)
        // The day before is missing, the one before that is not.
        let gap = HourlyHistory(first: 0, values: (0..<96).map { (60..<70).contains($0) ? nil : Double($0 % 24) })
        #expect(ForecastModel(gap).value(at: Timestamp(microseconds: 110 * HourlyHistory.length), gap) == 14)
    }

    @Test func hoursAreMeansOfWhatIsKnownOfThem() {
        func point(_ from: Double, _ to: Double, _ value: Double) -> SignalPoint {
            SignalPoint(from: at(hours: from), to: at(hours: to), value: value)
        }
        let history = HourlyHistory(
            [point(0, 0.25, 100), point(0.25, 1, 200), point(2.5, 3.5, 50), point(3.5, 3.75, 80)], hours: 99)
        #expect(history.values == [175, nil, 50, 60])
        #expect(HourlyHistory([point(0, 100, 7)], hours: 5).values == [Double?](repeating: 7, count: 5))
        #expect(HourlyHistory.hour(Timestamp(microseconds: -1)) == -1)
        #expect(HourlyHistory.hour(Timestamp(microseconds: .min)) < 0)
    }

    @Test func aPriceOfNothingHasNoPercentage() {
        let pairs = (0..<48).map { (actual: $0 % 2 == 0 ? 0 : 10.0, error: 1.0) }
        #expect(meanPercentage(pairs).map { abs($0 - 10) < 1e-9 } ?? false)
        #expect(meanPercentage(Array(pairs.prefix(23))) == nil)
    }
}
