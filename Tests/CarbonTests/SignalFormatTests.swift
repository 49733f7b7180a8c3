import TestSupport
import Testing
import Units

@testable import Carbon

private func time(_ text: String) throws -> Timestamp { try Timestamp(parsing: text) }

private func read(
    _ text: String, _ format: SignalFormat = .csv, quantity: SignalQuantity = .intensity, column: String? = nil,
    isForecast: Bool = false
) throws(CarbonError) -> SignalReading {
    try format.read(
        Array(text.utf8), name: "grid.csv", quantity: quantity, column: column, isForecast: isForecast)
}

private func refusal(
    _ text: String, _ format: SignalFormat = .csv, quantity: SignalQuantity = .intensity, column: String? = nil
) -> CarbonError? {
    do {
        _ = try read(text, format, quantity: quantity, column: column)
        return nil
    } catch {
        return error
    }
}

@Suite struct SignalTimeTests {
    @Test(arguments: [
        "2026-03-01T12:30:00Z", "2026-03-01T12:30Z", "2026-03-01 12:30:00", "2026-03-01 12:30", "2026-03-01t12:30:00z",
        "2026-03-01T12:30:00.000Z", "2026-03-01T13:30:00+01:00", "2026-03-01T13:30+0100", "2026-03-01 06:30:00-06",
        "2026-02-28T23:30:00-13:00", "2026-03-01 12:30:00 +00:00",
    ])
    func spellings(text: String) throws { #expect(SignalTime.parse(text) == (try time("2026-03-01T12:30:00Z"))) }

    @Test func daysAndFractions() throws {
        #expect(SignalTime.parse("2024-02-29") == (try time("2024-02-29")))
        #expect(SignalTime.parse("1900-01-01T00:00:00Z") == (try time("1900-01-01")))
        #expect(SignalTime.parse("2999-12-31") == (try time("2999-12-31")))
        #expect(SignalTime.parse("1970-01-01T00:00:01.25Z")?.microseconds == 1_250_000)
        #expect(SignalTime.parse("1970-01-01T00:00:00.1234567Z")?.microseconds == 123_456)
    }

    @Test(arguments: [
        "", "now", "2026", "2026-13-01", "2026-02-29", "2026-00-10", "2026-01-01T", "2026-01-01T24:00", "2026-01-01T10",
        "2026-01-01T10:60Z", "2026-01-01T10:00:60Z", "2026-01-01T10:00:00.Z", "2026-01-01T10:00+", "2026-01-01T10:00+1",
        "2026-01-01T10:00+01:", "2026-01-01T10:00Zx", "3000-01-01", "1899-12-31", "2026-1-1", "01/02/2026 10:00",
        "2026-01-01T10:00:00.00000000000000000000000000000000000Z", "٢٠٢٦-٠١-٠١",
    ])
    func whatIsNone(text: String) { #expect(SignalTime.parse(text) == nil) }

    /// Against the system's calendar.
    @Test(arguments: Array(1...20) as [UInt64])
    func likeTheCalendar(seed: UInt64) throws {
        var random = Seeded(seed)
        for _ in 0..<50 {
            let moment = Timestamp(seconds: Double(Int.random(in: -2_000_000_000...30_000_000_000, using: &random)))
            #expect(SignalTime.parse(moment.description) == moment)
        }
    }
}

@Suite struct SignalCSVTests {
    @Test func aColumnOfTimesAndOneOfFigures() throws {
        let reading = try read("time,intensity\n2026-01-01T00:00:00Z,100\n2026-01-01T00:30:00Z,250.5\r\n\n# end\n")
        let points = [
            SignalPoint(from: try time("2026-01-01"), to: try time("2026-01-01T00:30:00Z"), value: 100),
            SignalPoint(from: try time("2026-01-01T00:30:00Z"), to: try time("2026-01-01T01:00:00Z"), value: 250.5),
        ]
        #expect(reading == SignalReading(measured: points))
    }

    @Test(arguments: [
        "Time,Carbon Intensity", "timestamp,carbon_intensity", "\u{FEFF}datetime,carbonIntensity",
        "\"from\",\"actual\"",
        "Datetime (UTC),Carbon intensity gCO₂eq/kWh (Life cycle)", "DATE, gCO2/kWh", "time,value",
    ])
    func headers(header: String) throws {
        let reading = try read(header + "\n2026-01-01 00:00:00,100\n2026-01-01 01:00:00,90\n")
        #expect(reading.measured.map(\.value) == [100, 90])
        #expect(reading.measured.last?.to == (try time("2026-01-01T02:00:00Z")))
    }

    @Test func theRightOneOfManyColumns() throws {
        let text = """
            Country,Datetime (UTC),Carbon intensity gCO2eq/kWh (direct),Carbon intensity gCO2eq/kWh (Life cycle),Note
            Chile,2026-01-01 00:00:00,80,120,"a, ""b"" c"
            Chile,2026-01-01 01:00:00,70,110,
            """
        #expect(try read(text).measured.map(\.value) == [120, 110])
        #expect(
            try read(text, column: "Carbon intensity gCO2eq/kWh (direct)").measured.map(\.value) == [80, 70])
        #expect(refusal(text, column: "nothing")?.description.contains("no column \"nothing\"") ?? false)
    }

    @Test func aColumnOfForecasts() throws {
        let reading = try read(
            "from,forecast,actual\n2026-01-01T00:00Z,100,90\n2026-01-01T00:30Z,80,\n2026-01-01T01:00Z,70,\n")
        #expect(reading.measured.map(\.value) == [90])
        #expect(reading.measured.last?.to == (try time("2026-01-01T01:00:00Z")))
        #expect(reading.forecast.map(\.value) == [100, 80, 70])
        let all = try read("time,intensity\n2026-01-01T00:00Z,100\n", isForecast: true)
        #expect(all.measured.isEmpty && all.forecast.map(\.value) == [100])
    }

    @Test func aGapIsNotFilled() throws {
        let points = try read(
            "time,value\n2026-01-01T00:00Z,1\n2026-01-01T01:00Z,2\n2026-01-01T05:00Z,3\n2026-01-01T06:00Z,4\n"
        ).measured
        #expect(points[1].to == (try time("2026-01-01T02:00:00Z")))
        #expect(points.index(at: try time("2026-01-01T02:00:00Z")) == nil)
        #expect(points.index(at: try time("2026-01-01T05:59:59Z")) == 2)
        #expect(points.index(at: try time("2026-01-01T07:00:00Z")) == nil)
        #expect(points.index(at: try time("2025-12-31T23:59:59Z")) == nil)
    }

    @Test func pricesPerKilowattHour() throws {
        #expect(try read("time,price\n2026-01-01T00:00Z,-0.05\n", quantity: .price).measured[0].value == -0.05)
        let perMegawattHour = try read("Datetime (UTC),Price (EUR/MWhe)\n2026-01-01 00:00:00,85\n", quantity: .price)
        #expect(perMegawattHour.measured[0].value == 0.085)
        let pounds = try read("time,MOER lbs CO2/MWh\n2026-01-01 00:00:00,1000\n")
        #expect(pounds.measured[0].value == 453.592_37)
    }

    @Test(arguments: [
        ("", "grid.csv is empty"), ("# only this\n", "grid.csv is empty"),
        ("when,intensity\n", "grid.csv:1: no column is named as a time"),
        ("time,colour\n", "grid.csv:1: no column is named as an intensity"),
        ("time;intensity\n", "separate the fields by commas"),
        ("time,intensity\n2026-01-01,1,2\n", "grid.csv:2: 3 fields, but the header names 2"),
        ("time,intensity\n2026-01-01\n", "grid.csv:2: 1 fields"),
        ("time,intensity\n\n2026-01-01,12x\n", "grid.csv:3: \"12x\" in column \"intensity\" is not a number"),
        ("time,intensity\n2026-01-01,\n", "grid.csv:2: \"intensity\" is empty"),
        ("time,intensity\n2026-01-01,nan\n", "is not possible"),
        ("time,intensity\n2026-01-01,inf\n", "is not possible"),
        ("time,intensity\n2026-01-01,-1\n", "is not possible as an intensity; it is from 0 to 5000 g/kWh"),
        ("time,intensity\n2026-01-01,1e9\n", "is not possible"),
        ("time,intensity\nyesterday,1\n", "grid.csv:2: \"yesterday\" is not a time"),
        ("time,intensity\n2026-01-02,1\n2026-01-01,1\n", "grid.csv:3: 2026-01-01T00:00:00Z is not after"),
        ("time,intensity\n2026-01-02,1\n2026-01-02,1\n", "not after the time of the line before"),
        ("time,intensity\n\"2026-01-01,1\n", "grid.csv:2: a quoted field does not end"),
    ])
    func badLinesAreNamed(text: String, words: String) throws {
        let error = try #require(refusal(text))
        #expect(error.code == .badSignal)
        #expect(error.description.contains(words), "\(error.description)")
    }

    @Test func whatIsTooLargeIsNotRead() {
        let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: SignalCSV.mostBytes + 1)
        #expect(throws: CarbonError.self) { try SignalCSV.read(bytes, name: "x", quantity: .intensity) }
    }

    /// Whatever is in the file, it is read or refused.
    @Test(arguments: Array(1...30) as [UInt64])
    func damagedFilesDoNotTrap(seed: UInt64) {
        var random = Seeded(seed)
        let good = Array("time,intensity,forecast\n2026-01-01T00:00Z,1,\n2026-01-01T02:30+01:00,\"2\",3\n".utf8)
        var refused = 0
        for _ in 0..<200 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = Int.random(in: bytes.indices, using: &random)
                let choices = [UInt8.random(in: 0...255, using: &random), 44, 34, 10]
                bytes[index] = choices.randomElement(using: &random) ?? 0
            }
            if (try? SignalCSV.read(bytes, name: "x", quantity: .intensity)) == nil { refused += 1 }
        }
        #expect(refused > 20 && refused < 200)
    }
}

@Suite struct ServiceAnswerTests {
    @Test func electricityMapsLatest() throws {
        let text = """
            {"zone": "DE", "carbonIntensity": 302, "datetime": "2026-01-01T12:00:00.000Z",
             "updatedAt": "2026-01-01T11:58:12.331Z", "createdAt": "2025-12-29T12:51:00.000Z",
             "emissionFactorType": "lifecycle", "isEstimated": false, "estimationMethod": null}
            """
        let noon = SignalPoint(
            from: try time("2026-01-01T12:00:00Z"), to: try time("2026-01-01T13:00:00Z"), value: 302)
        #expect(try read(text, .electricityMaps) == SignalReading(measured: [noon], zone: "DE"))
        // An estimate is not called measured.
        let estimated = text.replacingWord("\"isEstimated\": false", with: "\"isEstimated\": true")
        #expect(try read(estimated, .electricityMaps) == SignalReading(forecast: [noon], zone: "DE"))
        let fine = text.replacingWord("\"zone\"", with: "\"temporalGranularity\": \"5_minutes\", \"zone\"")
        #expect(try read(fine, .electricityMaps).measured[0].to == (try time("2026-01-01T12:05:00Z")))
    }

    @Test func electricityMapsHistoryAndForecast() throws {
        func row(_ hour: Int, _ value: String, _ isEstimated: Bool) -> String {
            """
            {"zone": "DE", "carbonIntensity": \(value), "datetime": "2026-01-01T0\(hour):00:00.000Z",
             "isEstimated": \(isEstimated), "estimationMethod": "TIME_SLICER_AVERAGE"}
            """
        }
        for name in ["history", "data"] {
            let rows = [row(1, "210.5", false), row(0, "200", false), row(2, "null", false), row(3, "230", true)]
            let reading = try read(
                "{\"zone\": \"DE\", \"\(name)\": [\(rows.joined(separator: ","))]}", .electricityMaps)
            #expect(reading.measured.map(\.value) == [200, 210.5])
            #expect(reading.forecast.map(\.value) == [230])
        }
        let forecast = try read(
            """
            {"zone": "DE", "updatedAt": "2026-01-01T00:00:00.000Z", "forecast": [
             {"carbonIntensity": 326, "datetime": "2026-01-01T00:00:00.000Z"},
             {"carbonIntensity": 297, "datetime": "2026-01-01T01:00:00.000Z"}]}
            """, .electricityMaps)
        #expect(forecast.forecast.map(\.value) == [326, 297] && forecast.measured.isEmpty)
        #expect(forecast.forecast.last?.to == (try time("2026-01-01T02:00:00Z")))
    }

    @Test func carbonIntensityOfGreatBritain() throws {
        let text = """
            {"data": [
             {"from": "2026-01-20T12:00Z", "to": "2026-01-20T12:30Z",
              "intensity": {"forecast": 266, "actual": 263, "index": "moderate"}},
             {"from": "2026-01-20T12:30Z", "to": "2026-01-20T13:00Z",
              "intensity": {"forecast": 270, "actual": null, "index": "high"}}]}
            """
        let reading = try read(text, .ukCarbonIntensity)
        #expect(reading.measured.map(\.value) == [263] && reading.forecast.map(\.value) == [266, 270])
        #expect(reading.measured[0].from == (try time("2026-01-20T12:00:00Z")))
        #expect(reading.forecast[1].to == (try time("2026-01-20T13:00:00Z")))
        #expect(reading.zone == "GB")
    }

    @Test func rowsOfOneTimeOrOutOfOrderAreSetRight() throws {
        func row(_ from: String, _ to: String, _ value: Int) -> String {
            "{\"from\": \"2026-01-20T\(from)Z\", \"to\": \"2026-01-20T\(to)Z\", \"intensity\": {\"forecast\": \(value)}}"
        }
        let rows = [row("12:30", "13:00", 1), row("12:00", "12:45", 2), row("12:30", "13:00", 3)]
        let points = try read("{\"data\": [\(rows.joined(separator: ","))]}", .ukCarbonIntensity).forecast
        #expect(points.map(\.value) == [2, 3])
        #expect(points[0].to == points[1].from)
    }

    @Test(arguments: [
        ("{}", "Carbon Intensity API: data is missing"),
        ("{\"data\": [{\"from\": \"x\"}]}", "data[0].to is missing"),
        ("{\"data\": 3}", "data is of another type"), ("<html>", "is not the JSON it should be"),
        ("", "is not the JSON it should be"), ("[]", "another type"),
        (
            "{\"error\": {\"code\": \"400 Bad Request\", \"message\": \"Please enter a valid date\\u001b[31m\"}}",
            "Carbon Intensity API refused: Please enter a valid date[31m"
        ),
        (
            "{\"data\": [{\"from\": \"2026-01-20T12:00Z\", \"to\": \"2026-01-20T12:00Z\", \"intensity\": {}}]}",
            "no interval"
        ),
        (
            "{\"data\": [{\"from\": \"2026-01-20T12:00Z\", \"to\": \"2026-01-20T12:30Z\", \"intensity\": {\"actual\": -4}}]}",
            "data[0].intensity.actual: -4.0 is not possible"
        ),
        (
            "{\"data\": [{\"from\": \"2026-01-20\", \"to\": \"2026-01-20T12:30Z\", \"intensity\": {\"actual\": 1e999}}]}",
            "Carbon Intensity API"
        ),
        (String(repeating: "[", count: 100_000), "Carbon Intensity API"),
    ])
    func badAnswersOfGreatBritain(text: String, words: String) throws {
        let error = try #require(refusal(text, .ukCarbonIntensity))
        #expect(error.description.contains(words), "\(error.description)")
    }

    @Test(arguments: [
        ("{}", "neither datetime, nor history, nor forecast"),
        ("{\"error\": \"Invalid auth-token\"}", "refused: Invalid"),
        ("{\"message\": \"No recent data\"}", "refused: No recent data"),
        ("{\"history\": [{\"carbonIntensity\": 3}]}", "history[0].datetime is missing"),
        ("{\"forecast\": [{\"carbonIntensity\": 3, \"datetime\": \"soon\"}]}", "forecast[0].datetime \"soon\""),
        (
            "{\"forecast\": [{\"carbonIntensity\": 5001, \"datetime\": \"2026-01-01\"}]}",
            "forecast[0].carbonIntensity: 5001.0 is not possible"
        ),
    ])
    func badAnswersOfElectricityMaps(text: String, words: String) throws {
        let error = try #require(refusal(text, .electricityMaps))
        #expect(error.description.contains(words), "\(error.description)")
    }

    @Test func pricesComeFromFiles() {
        #expect(refusal("{}", .electricityMaps, quantity: .price)?.hint?.contains("CSV") ?? false)
    }
}

extension String {
    fileprivate func replacingWord(_ word: String, with other: String) -> String {
        guard let range = firstRange(of: word) else { return self }
        return replacingCharacters(in: range, with: other)
    }

    private func replacingCharacters(in range: Range<Index>, with other: String) -> String {
        String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
    }
}

@Suite struct SignalPointTests {
    /// Against a value for each second.
    @Test(arguments: Array(1...40) as [UInt64])
    func theNewerWinsWhereTwoOverlap(seed: UInt64) {
        var random = Seeded(seed)
        func points(_ sign: Double) -> [SignalPoint] {
            var points: [SignalPoint] = []
            var time = Int64.random(in: 0...20, using: &random)
            while time < 100, points.count < 15 {
                let end = time + Int64.random(in: 1...12, using: &random)
                points.append(
                    SignalPoint(
                        from: .init(microseconds: time), to: .init(microseconds: end),
                        value: sign * Double(points.count + 1)))
                time = end + max(0, Int64.random(in: -4...9, using: &random))
            }
            return points
        }
        let (old, new) = (points(1), points(-1))
        let merged = old.merged(with: new)
        for (a, b) in zip(merged, merged.dropFirst()) { #expect(a.to <= b.from) }
        for time in (0..<130 as Range<Int64>).map(Timestamp.init(microseconds:)) {
            func value(_ points: [SignalPoint]) -> Double? { points.index(at: time).map { points[$0].value } }
            #expect(value(merged) == value(new) ?? value(old))
        }
        #expect(old.merged(with: []) == old && [SignalPoint]().merged(with: new) == new)
    }
}
