import Testing
import Units

@testable import Metering

/// A counter and the sensor beside it, without any hardware: which of them is booked. The joules are worked out by hand.
@Suite struct CheckedMeterTests {
    /// A card of 100 W by its sensor, with a counter that is moved by hand.
    private struct Bench {
        var meter: CheckedMeter
        var microjoules: UInt64 = 1_000_000_000
        var watts = 100.0

        init() {
            meter = CheckedMeter(
                counter: EnergyCounter(range: nil, ceiling: 2500, renewalSeconds: 0.1, standstillSeconds: 0.5),
                sensor: PowerIntegral(ceiling: 2500))
            meter.begin(values)
        }

        var values: MeterValues { MeterValues(microjoules: .success(microjoules), watts: .success(watts)) }

        mutating func tick(joules: Double, seconds: Double = 1, doubt: String? = nil) -> DomainSample.Reading {
            microjoules += UInt64(joules * 1e6)
            return meter.reading(values, over: seconds, doubt: doubt)
        }

        /// A counter that was right for half a minute.
        static func trusted() -> Bench {
            var bench = Bench()
            for _ in 1...30 { _ = bench.tick(joules: 110) }
            return bench
        }
    }

    private func point(_ joules: Double) -> DomainSample.Reading { .energy(EnergyRange(Energy(joules: joules))) }

    private func range(_ joules: Double, _ low: Double, _ high: Double) -> DomainSample.Reading {
        .energy(EnergyRange(Energy(joules: joules), low: Energy(joules: low), high: Energy(joules: high)))
    }

    @Test func untilItIsCheckedTheRangeSpansBoth() {
        var bench = Bench()
        #expect(bench.tick(joules: 110) == range(100, 100, 110))
        #expect(bench.tick(joules: 30) == range(100, 30, 100))
        // 2 s in which the sensor goes from 100 W to 200 W: 300 J, from 200 J to 400 J.
        bench.watts = 200
        #expect(bench.tick(joules: 290, seconds: 2) == range(300, 200, 400))
    }

    @Test func onceItIsCheckedTheCounterCountsAlone() {
        var bench = Bench.trusted()
        #expect(bench.tick(joules: 130) == point(130))
        #expect(bench.meter.verdict == nil)
    }

    /// What is booked over the standstill is the sensor's; the counter's first advance tells of it too and is not booked.
    @Test func aStandstillIsBridgedByTheSensorAndNothingIsBookedTwice() {
        var bench = Bench.trusted()
        for _ in 1...4 { #expect(bench.tick(joules: 0) == point(100)) }
        #expect(bench.tick(joules: 550) == point(100))
        #expect(bench.tick(joules: 110) == point(110))
    }

    /// A job may start and end within the counter's own renewal: that is no standstill, and its joules are in the next reading.
    @Test func aReadingBeforeTheCountersRenewalLosesNothing() {
        var bench = Bench.trusted()
        #expect(bench.tick(joules: 0, seconds: 0.05) == point(0))
        #expect(bench.tick(joules: 115) == point(115))
    }

    @Test func aCounterThatBeginsToLieIsFoundOut() {
        var bench = Bench.trusted()
        for _ in 1...29 { #expect(bench.tick(joules: 200) == point(200)) }
        // From here on it is not trusted, after 30 s more not used.
        for _ in 1...30 { #expect(bench.tick(joules: 200) == range(100, 100, 200)) }
        #expect(bench.tick(joules: 200) == point(100))
        #expect(
            bench.meter.verdict == "its energy counter told 6000 J where the power sensor told 3000 J, and is not used")
    }

    /// Sensors that look now and then miss much of one window.
    @Test func oneBadWindowIsNotTheEndOfAGoodCounter() {
        var bench = Bench.trusted()
        for _ in 1...30 { _ = bench.tick(joules: 160) }
        #expect(bench.tick(joules: 110) == range(100, 100, 110))
        for _ in 2...29 { _ = bench.tick(joules: 110) }
        #expect(bench.tick(joules: 110) == point(110) && bench.meter.verdict == nil)
    }

    @Test func whatHappenedToTheCounterIsAGapWhateverTheSensorSays() {
        var bench = Bench.trusted()
        bench.microjoules = 5_000_000
        #expect(bench.tick(joules: 0) == .gap("the counter went back and its range cannot be read"))
        #expect(bench.tick(joules: 100) == point(100))
        #expect(bench.tick(joules: 2751.1) == .gap("the counter jumped above physical power (more than 2500 W)"))
        #expect(bench.tick(joules: 100, doubt: "the machine slept") == .gap("the machine slept"))
    }

    @Test func aCounterThatCannotBeReadIsBridgedByTheSensor() {
        var bench = Bench.trusted()
        let failure = MeterValues.Failure(reason: "gone")
        var values = MeterValues(microjoules: .failure(failure), watts: .success(100))
        #expect(bench.meter.reading(values, over: 1, doubt: nil) == point(100))
        // It comes back 400 J on, of which nothing is booked.
        #expect(bench.tick(joules: 400) == point(100))
        #expect(bench.tick(joules: 120) == point(120))
        values = MeterValues(microjoules: .failure(failure), watts: .failure(failure))
        #expect(bench.meter.reading(values, over: 1, doubt: nil) == .gap("gone"))
    }
}
