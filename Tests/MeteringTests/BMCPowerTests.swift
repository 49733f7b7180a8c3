import LinuxSystem
import Testing
import Units

@testable import Metering

/// What is decided from a BMC's answers, without a process; asked every 5 s, so that an answer holds for 15 s. The joules are
/// worked out by hand.
@Suite struct BMCPowerTests {
    static let text = """

            Instantaneous power reading:                   220 Watts
            Minimum during sampling period:                 18 Watts
            Maximum during sampling period:                405 Watts
            Average power reading over sample period:      199 Watts
            IPMI timestamp:                           Thu Nov 20 11:18:22 2025
            Sampling period:                          00000005 Seconds.
            Power reading state is:                   activated


        """

    /// Answers of so many watts at so many seconds.
    private func power(_ readings: (Double, watts: Double)...) -> BMCPower {
        var power = BMCPower(period: 5, from: 0)
        for (time, watts) in readings { power.note(.watts(watts), at: time) }
        return power
    }

    @Test func thePowerAtTheMomentIsRead() {
        #expect(BMCAnswer(parsing: Self.text) == .watts(220))
    }

    /// ipmitool from 1.8.19 on puts the colons below each other.
    @Test func bothLayoutsAreRead() {
        let newer = """
            \tInstantaneous power reading              : 214      Watts
            \tMinimum during sampling period           : 2        Watts
            \tPower reading state is                   : activated

            """
        #expect(BMCAnswer(parsing: newer) == .watts(214))
    }

    @Test func whatIsDeactivatedTellsNothing() {
        #expect(BMCAnswer(parsing: Self.text.replacing("activated", with: "deactivated")) == .deactivated)
    }

    @Test(arguments: [
        "", "\n\n", "Power reading state is: activated", "Instantaneous power reading: 220 Watts",
        text.replacing("220 Watts", with: "-5 Watts"), text.replacing("220 Watts", with: "220"),
        text.replacing("220 Watts", with: "220 kW"), text.replacing("220", with: "99999999999999999999"),
        text.replacing("220", with: "nan"), text.replacing("220", with: "2e2"), text.replacing("220", with: "0"),
        text.replacing("220", with: "10001"), text.replacing("activated", with: "unknown"), text + text,
        String(repeating: "x", count: 100_000), "\u{1b}[31mInstantaneous power reading: 1 Watts",
    ])
    func nonsenseIsNoAnswer(text: String) {
        guard case .failed(let reason) = BMCAnswer(parsing: text) else {
            Issue.record("took \(text.prefix(80)) for an answer")
            return
        }
        #expect(reason.count <= 120 && reason.utf8.allSatisfy { (0x20..<0x7f).contains($0) })
    }

    @Test func aProgramThatFailsSaysWhy() {
        let output = ProcessSpawner.Output(status: 256, text: "\nCould not open device at /dev/ipmi0\nmore\n")
        #expect(BMCAnswer(output) == .failed("ipmitool failed: Could not open device at /dev/ipmi0"))
        // A figure of a program that failed is none.
        let figure = ProcessSpawner.Output(status: 9, text: Self.text)
        #expect(
            BMCAnswer(figure) == .failed("ipmitool failed: Instantaneous power reading:                   220 Watts"))
    }

    @Test func theLastAnswerHoldsUntilTheNext() {
        var power = power((10, watts: 200))
        // 2 s at 200 W, of which nothing else is known.
        #expect(power.reading(over: 2, to: 13, doubt: nil) == .energy(EnergyRange(Energy(joules: 400))))
    }

    @Test func betweenTwoAnswersThePowerGoesStraight() {
        var power = power((10, watts: 200), (15, watts: 300))
        // From 12 s (240 W) to 15 s (300 W): 3 s at 270 W. Then 1 s at 300 W.
        let expected = EnergyRange(Energy(joules: 1110), low: Energy(joules: 800), high: Energy(joules: 1200))
        #expect(power.reading(over: 4, to: 16, doubt: nil) == .energy(expected))
    }

    @Test func theRangeSpansWhatWasSaidLately() {
        var power = power((0, watts: 500), (5, watts: 100), (10, watts: 200))
        // 1 s at 200 W; within the last 15 s the BMC said 100 W to 500 W.
        let wide = EnergyRange(Energy(joules: 200), low: Energy(joules: 100), high: Energy(joules: 500))
        #expect(power.reading(over: 1, to: 14, doubt: nil) == .energy(wide))
        power.note(.watts(200), at: 15)
        // The 500 W are 16 s old.
        let narrow = EnergyRange(Energy(joules: 200), low: Energy(joules: 100), high: Energy(joules: 200))
        #expect(power.reading(over: 1, to: 16, doubt: nil) == .energy(narrow))
    }

    @Test func everyTickIsMeteredOnceAndTheSumIsTheCurves() {
        var power = power((0, watts: 100))
        var joules = 0.0
        for second in 1...20 {
            if second % 5 == 0 { power.note(.watts(Double(second) * 20 + 100), at: Double(second)) }
            guard case .energy(let energy) = power.reading(over: 1, to: Double(second), doubt: nil) else {
                Issue.record("a gap at \(second) s")
                return
            }
            joules += energy.energy.joules
        }
        // Answers of 100, 200, 300, 400 and 500 W at 0, 5, 10, 15 and 20 s. Of each 5 s four are held at the answer before;
        // the fifth, with the next one known, goes from four fifths of the way to it: 4 x 100 + 190, 4 x 200 + 290, ...
        #expect(joules == 590 + 1090 + 1590 + 2090)
    }

    @Test func anAnswerThatIsTooOldMakesAGapWithItsDuration() {
        var power = power((10, watts: 200))
        #expect(power.reading(over: 1, to: 25, doubt: nil) == .energy(EnergyRange(Energy(joules: 200))))
        #expect(power.reading(over: 1, to: 27, doubt: nil) == .gap("the BMC has not answered for 17 s"))
        power.note(.failed("ipmitool: no answer within 10 s: killed"), at: 28)
        let reason = "the BMC has not answered for 18 s: ipmitool: no answer within 10 s: killed"
        #expect(power.reading(over: 1, to: 28, doubt: nil) == .gap(reason))
        // It answers again: the tick in which it does began without one.
        power.note(.watts(300), at: 28.5)
        #expect(power.reading(over: 1, to: 29, doubt: nil) == .gap("the BMC had not answered for 19 s"))
        #expect(power.reading(over: 1, to: 30, doubt: nil) == .energy(EnergyRange(Energy(joules: 300))))
    }

    @Test func beforeTheFirstAnswerThereAreGaps() {
        var power = BMCPower(period: 5, from: 100)
        #expect(power.reading(over: 1, to: 102, doubt: nil) == .gap("the BMC has not answered for 2 s"))
        power.note(.watts(200), at: 102.5)
        #expect(
            power.reading(over: 1, to: 103, doubt: nil) == .gap("the BMC had not answered at the start of the interval")
        )
        #expect(power.reading(over: 1, to: 104, doubt: nil) == .energy(EnergyRange(Energy(joules: 200))))
    }

    @Test func answersOutOfOrderAreOfNoUse() {
        var power = power((10, watts: 200), (9, watts: 9000), (10, watts: 9000))
        #expect(power.reading(over: 1, to: 12, doubt: nil) == .energy(EnergyRange(Energy(joules: 200))))
    }

    /// The monotonic clock stands still while the machine sleeps: what was said before holds no longer.
    @Test func anIntervalInDoubtIsAGapAndSoIsTheTimeUpToTheNextAnswer() {
        var power = power((10, watts: 200))
        #expect(power.reading(over: 7200, to: 12, doubt: "the machine slept") == .gap("the machine slept"))
        #expect(power.reading(over: 1, to: 13, doubt: nil) == .gap("the BMC has not answered for 1 s"))
        power.note(.watts(100), at: 13.5)
        #expect(power.reading(over: 0.25, to: 14, doubt: nil) == .energy(EnergyRange(Energy(joules: 25))))
    }

    @Test func threeFailuresWithoutAnyFigureAreTheEnd() {
        var power = BMCPower(period: 5, from: 0)
        for time in [1.0, 6] {
            power.note(.failed("no DCMI"), at: time)
            #expect(power.refusal == nil)
        }
        power.note(.failed("no DCMI"), at: 11)
        #expect(power.refusal == "gives no power: no DCMI")
        // One that has told a figure is asked on.
        var other = self.power((1, watts: 200))
        for time in [6.0, 11, 16, 21] { other.note(.failed("busy"), at: time) }
        #expect(other.refusal == nil)
    }

    @Test func deactivationIsTheEnd() {
        var power = power((1, watts: 200))
        power.note(.deactivated, at: 6)
        #expect(power.refusal == "its power reading is deactivated")
        guard case .gap = power.reading(over: 1, to: 7, doubt: nil) else {
            Issue.record("a figure after the end")
            return
        }
    }
}
