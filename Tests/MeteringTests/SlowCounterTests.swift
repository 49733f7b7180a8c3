import Testing
import Units

@testable import Metering

/// Counters that are renewed more rarely than they are read, mostly at 100 W and read every second.
@Suite struct SlowCounterTests {
    private let start: UInt64 = 5_000_000

    private func counter() -> EnergyCounter {
        var counter = EnergyCounter(range: nil, ceiling: 2500, renewalSeconds: 0.1, standstillSeconds: 0.5)
        counter.begin(at: start)
        return counter
    }

    @Test func oneRenewedTenTimesASecondGivesWhatItTells() {
        var counter = counter()
        // Of 1.05 s and 0.95 s, as the renewals fall.
        #expect(counter.change(to: start + 105_000_000, over: 1, doubt: nil) == .energy(105_000_000))
        #expect(counter.change(to: start + 200_000_000, over: 1, doubt: nil) == .energy(95_000_000))
    }

    /// 200 J at once, of two seconds: half of it in each, and surely no less than none and no more than all.
    @Test func oneRenewedEveryTwoSecondsIsNoGapForEver() {
        var counter = counter()
        for second in 1...20 {
            let change = counter.change(to: start + UInt64(second / 2) * 200_000_000, over: 1, doubt: nil)
            #expect(change == (second % 2 == 0 ? .part(100_000_000, of: 200_000_000) : .gap("the counter stood still")))
        }
        #expect(
            EnergyCounter.Change.part(100_000_000, of: 200_000_000).reading
                == .energy(EnergyRange(Energy(joules: 100), low: .zero, high: Energy(joules: 200))))
    }

    /// No longer slow but standing still.
    @Test func oneRenewedEveryFiveSecondsIsAGap() {
        var counter = counter()
        for second in 1...20 {
            let change = counter.change(to: start + UInt64(second / 5) * 500_000_000, over: 1, doubt: nil)
            #expect(change.advance == nil)
        }
    }

    /// 2,751 J of two seconds: all of it could not have been drawn in one at 2,500 W, however it is shared out.
    @Test func aSlowAdvanceThatDoesNotFitTheIntervalIsAJump() {
        var counter = counter()
        #expect(counter.change(to: start, over: 1, doubt: nil).advance == nil)
        let jump = counter.change(to: start + 2_751_000_000, over: 1, doubt: nil)
        #expect(jump == .gap("the counter jumped above physical power (more than 2500 W)"))
        #expect(counter.change(to: start + 2_851_000_000, over: 1, doubt: nil) == .energy(100_000_000))
    }

    /// In a short interval a renewal may not have come yet: nothing, then all of it.
    @Test func aRenewalThatHasNotComeYetIsNoStandstill() {
        var counter = counter()
        #expect(counter.change(to: start, over: 0.25, doubt: nil) == .energy(0))
        #expect(counter.change(to: start + 50_000_000, over: 0.25, doubt: nil) == .energy(50_000_000))
    }

    /// What it told over a doubtful interval is not handed to the next one.
    @Test func aDoubtfulIntervalIsANewBaseline() {
        var counter = counter()
        #expect(counter.change(to: start, over: 1, doubt: nil).advance == nil)
        #expect(counter.change(to: start + 900_000_000, over: 9, doubt: "slept") == .gap("slept"))
        #expect(counter.change(to: start + 1_000_000_000, over: 1, doubt: nil) == .energy(100_000_000))
    }
}
