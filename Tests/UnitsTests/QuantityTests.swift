import Testing

@testable import Units

@Suite struct QuantityTests {
    @Test(arguments: [
        ("2 GiB", 2_147_483_648), ("500MB", 500_000_000), ("1.5 KiB", 1536), ("0 B", 0),
    ])
    func sizes(text: String, bytes: Int64) throws {
        #expect(try ByteSize(parsing: text).bytes == bytes)
    }

    @Test(arguments: ["", "2", "GiB", "-1 B", "2 gib", "1e400 B", "nan B", "9e30 TiB", "2 GiB x"])
    func wrongSizes(text: String) {
        #expect(throws: UnitError.self) { try ByteSize(parsing: text) }
    }

    @Test(arguments: [("90 s", 90.0), ("1 h 30 min", 5400), ("7d", 604_800), ("250 ms", 0.25), ("5 y", 157_788_000)])
    func durations(text: String, seconds: Double) throws {
        #expect(try Duration(parsing: text).seconds == seconds)
    }

    @Test(arguments: ["", "5", "h", "-1 s", "1 fortnight", "1 h 5", "1e9 y", "5000 y"])
    func wrongDurations(text: String) {
        #expect(throws: UnitError.self) { try Duration(parsing: text) }
    }

    @Test func powers() throws {
        #expect(try Power(parsing: "450 W").watts == 450)
        #expect(try Power(parsing: "1.5 kW").watts == 1500)
        #expect(throws: UnitError.self) { try Power(parsing: "450") }
    }

    @Test(arguments: [
        (0.0, "0"), (1234.5678, "1235"), (0.001234567, "0.00123"), (99.96, "100"), (-1.5, "-1.5"), (1e-12, "0"),
        (.nan, "nan"),
    ])
    func significantDigits(value: Double, text: String) {
        #expect(significant(value) == text)
    }

    @Test func energyForPeople() {
        #expect("\(Energy(joules: 1.5))" == "1.5 J")
        #expect("\(Energy(joules: 12_345))" == "12.3 kJ")
        #expect("\(Energy(kilowattHours: 2))" == "2 kWh")
        #expect(Energy(joules: .nan) == .zero)
        #expect(Energy(joules: 1e300).microjoules == .max)
    }

    @Test func timestamps() throws {
        let time = try Timestamp(parsing: "2026-11-24T08:00:00Z")
        #expect(time.description == "2026-11-24T08:00:00Z")
        #expect(try Timestamp(parsing: "2026-11-24T09:00:00+01:00") == time)
        #expect(try Timestamp(parsing: "2026-11-24").day == "2026-11-24")
        #expect(try Timestamp(parsing: "2026-11-24T08:00:00.250Z").since(time) == .milliseconds(250))
        #expect(throws: UnitError.self) { try Timestamp(parsing: "yesterday") }
        #expect(throws: UnitError.self) { try Timestamp(parsing: "2026-13-40") }
    }

    @Test func briefDurations() {
        #expect(Duration.seconds(45).brief == "45 s")
        #expect(Duration.seconds(130).brief == "2 min 10 s")
        #expect(Duration.seconds(11_100).brief == "3 h 5 min")
        #expect(Duration.milliseconds(800).brief == "0.8 s")
    }
}
