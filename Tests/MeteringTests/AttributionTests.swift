import Metering
import TestSupport
import Testing
import Units

private func sample(
    _ joules: Double?, low: Double? = nil, high: Double? = nil, kind: DomainKind = .cpu, seconds: Double = 1
) -> DomainSample {
    let start = Timestamp(seconds: 1_700_000_000)
    let reading: DomainSample.Reading =
        joules.map { value in
            .energy(
                EnergyRange(
                    Energy(joules: value), low: low.map { Energy(joules: $0) }, high: high.map { Energy(joules: $0) }))
        } ?? .gap("no reading")
    return DomainSample(
        domain: "package-0", kind: kind, start: start, end: start.advanced(by: .seconds(seconds)), seconds: seconds,
        reading: reading, tier: .measured, source: "a test")
}

private let gibibyte: Int64 = 1 << 30
private let machine = MachineSize(cpus: 8, memoryBytes: 64 * gibibyte)

extension [Share] {
    fileprivate subscript(_ account: Account) -> Share {
        first { $0.account == account } ?? Share(account: account)
    }

    fileprivate var total: Energy { reduce(.zero) { $0 + $1.energy } }
}

@Suite struct AttributionTests {
    @Test func activeEnergyGoesByCPUTimeAndIdleEnergyByReservation() {
        let usages = [
            Usage(account: .job(1), cpuSeconds: 3, reservedCPUs: 4),
            Usage(account: .job(2), cpuSeconds: 1, reservedCPUs: 2),
            Usage(account: .system, cpuSeconds: 0.9), Usage(account: .daemon, cpuSeconds: 0.1),
        ]
        let shares = attribute(sample(100), idlePower: Power(watts: 40), usages: usages, machine: machine)
        // 60 J active over 5 CPU seconds: 12 J each. 40 J idle over 8 CPUs: 5 J each, 2 CPUs unreserved.
        #expect(shares[.job(1)].active.joules == 36 && shares[.job(1)].reservedIdle.joules == 20)
        #expect(shares[.job(2)].active.joules == 12 && shares[.job(2)].reservedIdle.joules == 10)
        #expect(shares[.system].energy.joules == 10.8 && shares[.system].reservedIdle == .zero)
        #expect(shares[.daemon].energy.joules == 1.2)
        #expect(shares[.idle].energy.joules == 10 && shares[.idle].active == .zero)
        #expect(shares.total.joules == 100)
        #expect(shares.map(\.account) == [.job(1), .job(2), .system, .daemon, .idle])
    }

    @Test func theBoundsAllowACPUSecondToWeighThreeTimesAsMuch() {
        let usages = [
            Usage(account: .job(1), cpuSeconds: 1, reservedCPUs: 4),
            Usage(account: .job(2), cpuSeconds: 1, reservedCPUs: 4),
        ]
        let shares = attribute(sample(100), idlePower: Power(watts: 20), usages: usages, machine: machine)
        // 80 J active: a quarter to three quarters of it, with 10 J reserved idle on top.
        #expect(shares[.job(1)].energy.joules == 50)
        #expect(shares[.job(1)].low.joules == 30)
        #expect(shares[.job(1)].high.joules == 70)
        let narrow = attribute(
            sample(100), idlePower: Power(watts: 20), usages: usages, machine: machine, weightRatio: 1)
        #expect(narrow[.job(1)].low == narrow[.job(1)].high)
    }

    @Test func doubtAboutTheIdlePowerWidensTheRange() {
        func only(reserved: Double, doubt: Double) -> Share {
            let usages = [Usage(account: .job(1), cpuSeconds: 1, reservedCPUs: reserved)]
            return attribute(
                sample(100), idlePower: Power(watts: 40), usages: usages, machine: machine, idleDoubt: doubt)[.job(1)]
        }
        // 60 J active and half of 40 J idle. With 36 J idle: 64 + 18; with 44 J: 56 + 22.
        let half = only(reserved: 4, doubt: 0.1)
        #expect(half.low.joules == 78 && half.energy.joules == 80 && half.high.joules == 82)
        #expect(only(reserved: 4, doubt: 0).low == only(reserved: 4, doubt: 0).high)
        #expect(only(reserved: 4, doubt: .nan).high.joules == 80 && only(reserved: 4, doubt: -1).low.joules == 80)
        let whole = only(reserved: 8, doubt: 0.1)
        #expect(whole.low == whole.high, "who holds all of the machine gets a point whatever the idle power is")
    }

    @Test func weightsSteerTheActivePartOnlyAndAreCutToTheRatio() {
        let usages = [
            Usage(account: .job(1), cpuSeconds: 1, reservedCPUs: 4),
            Usage(account: .job(2), cpuSeconds: 1, reservedCPUs: 4),
        ]
        func first(_ weights: [Account: Double], kind: DomainKind = .cpu) -> Share {
            attribute(
                sample(100, kind: kind), idlePower: Power(watts: 20), usages: usages, machine: machine,
                weights: weights)[.job(1)]
        }
        let steered = first([.job(1): 1.5])
        #expect(steered.active.joules == 48 && steered.reservedIdle.joules == 10)
        #expect(steered.low.joules == 30 && steered.high.joules == 70, "the range is that of CPU time")
        // Cut to sqrt 3 and 1 / sqrt 3.
        #expect(abs(first([.job(1): 1e9, .job(2): 1e-9]).active.joules - 60) < 1e-5)
        #expect(first([.job(1): 1e9, .job(2): 1e-9]).energy <= steered.high)
        for senseless in [-1, 0, Double.nan, .infinity] { #expect(first([.job(1): senseless]).active.joules == 40) }
        #expect(first([.job(1): 1.5], kind: .memory) == first([:], kind: .memory))
        let alone = attribute(
            sample(90), idlePower: Power(watts: 30), usages: [Usage(account: .job(7), cpuSeconds: 8, reservedCPUs: 8)],
            machine: machine, weights: [.job(7): 0.2])[.job(7)]
        #expect(alone.energy.joules == 90 && alone.low == alone.high)
    }

    @Test func aJobThatRunsAloneGetsAPointUnlessTheSampleItselfIsARange() {
        let usages = [Usage(account: .job(7), cpuSeconds: 8, reservedCPUs: 8)]
        let alone = attribute(sample(90), idlePower: Power(watts: 30), usages: usages, machine: machine)[.job(7)]
        #expect(alone.low.joules == 90 && alone.high.joules == 90)
        let modelled = attribute(
            sample(90, low: 45, high: 180), idlePower: Power(watts: 30), usages: usages, machine: machine)[.job(7)]
        #expect(modelled.low.joules == 45 && modelled.energy.joules == 90 && modelled.high.joules == 180)
    }

    @Test func withoutAKnownIdlePowerNothingIsHiddenInIdleAndTheRangeSaysSo() {
        let usages = [
            Usage(account: .job(1), cpuSeconds: 1, reservedCPUs: 2), Usage(account: .system, cpuSeconds: 1),
        ]
        let shares = attribute(sample(100), idlePower: nil, usages: usages, machine: machine)
        #expect(shares[.job(1)].active.joules == 50 && shares[.idle].energy == .zero)
        // All active: 25 to 75 J. All idle: 2 of 8 CPUs, 25 J to the job, none to the system, 75 J to idle.
        #expect(shares[.job(1)].low.joules == 25 && shares[.job(1)].high.joules == 75)
        #expect(shares[.system].low == .zero && shares[.system].high.joules == 75)
        #expect(shares[.idle].low == .zero && shares[.idle].high.joules == 75)
    }

    @Test func idlePowerAboveTheReadingIsTheReading() {
        let usages = [Usage(account: .job(1), cpuSeconds: 1, reservedCPUs: 8)]
        let share = attribute(sample(10), idlePower: Power(watts: 40), usages: usages, machine: machine)[.job(1)]
        #expect(share.active == .zero && share.reservedIdle.joules == 10)
    }

    @Test func memoryGoesByReservationAndTheUnreservedRestIsIdle() {
        let usages = [
            Usage(account: .job(1), cpuSeconds: 9, reservedCPUs: 1, reservedMemoryBytes: 16 * gibibyte),
            Usage(account: .job(2), cpuSeconds: 0, reservedCPUs: 7, reservedMemoryBytes: 8 * gibibyte),
            Usage(account: .system, cpuSeconds: 5),
        ]
        let shares = attribute(
            sample(32, kind: .memory), idlePower: Power(watts: 32), usages: usages, machine: machine)
        #expect(shares[.job(1)].energy.joules == 8)
        #expect(shares[.job(2)].energy.joules == 4)
        #expect(shares[.system].energy == .zero)
        #expect(shares[.idle].energy.joules == 20)
    }

    @Test func reservationsBeyondTheMachineShareWhatThereIs() {
        let usages = (1...4).map { Usage(account: .job($0), cpuSeconds: 0, reservedCPUs: 8) }
        let shares = attribute(sample(80), idlePower: Power(watts: 80), usages: usages, machine: machine)
        #expect(usages.allSatisfy { shares[$0.account].energy.joules == 20 })
        #expect(shares[.idle].energy == .zero)
    }

    @Test func energyThatNobodyCanHaveUsedIsAGapAndNeverSpreadOverJobs() {
        let usages = [Usage(account: .job(1), cpuSeconds: 0, reservedCPUs: 1)]
        let shares = attribute(sample(50), idlePower: Power(watts: 8), usages: usages, machine: machine)
        #expect(shares[.gap].active.joules == 42)
        #expect(shares[.job(1)].energy.joules == 1 && shares[.idle].energy.joules == 7)
        let gpu = attribute(sample(50, kind: .gpu), idlePower: nil, usages: usages, machine: machine)
        #expect(gpu[.gap].energy.joules == 50, "CPU time says nothing of a GPU")
    }

    @Test func aGapGivesNobodyEnergyAndTellsEveryoneItsLength() {
        let usages = [Usage(account: .job(1), cpuSeconds: 1, reservedCPUs: 1), Usage(account: .system, cpuSeconds: 1)]
        let shares = attribute(sample(nil, seconds: 12), idlePower: Power(watts: 8), usages: usages, machine: machine)
        #expect(shares.map(\.account) == [.job(1), .system, .gap])
        #expect(shares.allSatisfy { $0.energy == .zero && $0.high == .zero && $0.gapSeconds == 12 })
    }

    @Test func anAccountNamedTwiceIsOneAndTheResultsCannotBeClaimed() {
        let usages = [
            Usage(account: .job(1), cpuSeconds: 1, reservedCPUs: 1), Usage(account: .idle, cpuSeconds: 50),
            Usage(account: .job(1), cpuSeconds: 2, reservedCPUs: 1), Usage(account: .gap, cpuSeconds: 50),
            Usage(account: .system, cpuSeconds: 1, reservedCPUs: 6),
        ]
        let shares = attribute(sample(16), idlePower: Power(watts: 8), usages: usages, machine: machine)
        #expect(shares.map(\.account) == [.job(1), .system, .idle])
        #expect(shares[.job(1)].active.joules == 6 && shares[.job(1)].reservedIdle.joules == 2)
        #expect(shares[.system].active.joules == 2 && shares[.system].reservedIdle == .zero)
    }

    @Test func theSystemsTimeIsWhatIsNobodyElses() {
        let usages = [Usage(account: .job(1), cpuSeconds: 2), Usage(account: .daemon, cpuSeconds: 0.5)]
        #expect(Usage.withSystem(usages, busySeconds: 3).last == Usage(account: .system, cpuSeconds: 0.5))
        #expect(Usage.withSystem(usages, busySeconds: 2.4).last?.cpuSeconds == 0)
        #expect(Usage.withSystem(usages, busySeconds: .nan).last?.cpuSeconds == 0)
    }

    @Test func conservationHoldsForTenThousandRandomIntervals() {
        var generator = Seeded(2024)
        for _ in 0..<10_000 {
            let shares = attributeRandom(using: &generator, hostile: false)
            #expect(shares.parts == shares.total)
        }
    }

    @Test func conservationHoldsForTenThousandHostileIntervals() {
        var generator = Seeded(666)
        for _ in 0..<10_000 {
            let shares = attributeRandom(using: &generator, hostile: true)
            #expect(shares.parts == shares.total)
        }
    }

    /// Attributes a random sample and checks each share; returns the sum of the parts and what it must be.
    private func attributeRandom(
        using generator: inout Seeded, hostile: Bool
    ) -> (parts: Int64, total: Int64) {
        let seconds = number(0...30, hostile, &generator)
        let microjoules =
            hostile
            ? [Int64.random(in: .min ... .max, using: &generator), .max, .min, 0, 1, -1, 7]
                .randomElement(using: &generator) ?? 0
            : Int64.random(in: 0...60_000_000_000, using: &generator)
        let spread = Int64.random(in: 0...1_000_000, using: &generator)
        let range = EnergyRange(
            Energy(microjoules: microjoules), low: Energy(microjoules: microjoules &- spread),
            high: Energy(microjoules: microjoules &+ spread))
        let start = Timestamp(seconds: 0)
        let kind = DomainKind.allCases.randomElement(using: &generator) ?? .cpu
        let sample = DomainSample(
            domain: "d", kind: kind, start: start, end: start, seconds: seconds, reading: .energy(range),
            tier: .measured, source: "random")
        let usages = (0..<Int.random(in: 0...12, using: &generator)).map { index in
            let account: Account =
                [.job(Int64(index)), .job(1), .system, .daemon, .idle, .gap].randomElement(using: &generator)
                ?? .system
            return Usage(
                account: account, cpuSeconds: number(0...240, hostile, &generator),
                reservedCPUs: number(0...8, hostile, &generator),
                reservedMemoryBytes: hostile
                    ? .random(in: .min ... .max, using: &generator)
                    : .random(in: 0...64 * gibibyte, using: &generator))
        }
        let size = MachineSize(
            cpus: number(0...8, hostile, &generator),
            memoryBytes: hostile ? .random(in: .min ... .max, using: &generator) : 64 * gibibyte)
        let idle =
            Bool.random(using: &generator) ? nil : Power(watts: number(0...300, hostile, &generator))
        var weights: [Account: Double] = [:]
        for usage in usages where Bool.random(using: &generator) {
            weights[usage.account] = number(0...4, hostile, &generator)
        }
        let shares = attribute(
            sample, idlePower: idle, usages: usages, machine: size, idleDoubt: number(0...1, hostile, &generator),
            weights: weights, weightRatio: number(1...9, hostile, &generator))
        for share in shares where microjoules >= 0 {
            #expect(share.active >= .zero && share.reservedIdle >= .zero)
            #expect(share.low <= share.energy && share.energy <= share.high)
        }
        return (shares.total.microjoules, microjoules)
    }

    private func number(_ range: ClosedRange<Double>, _ hostile: Bool, _ generator: inout Seeded) -> Double {
        let value = Double.random(in: range, using: &generator)
        guard hostile, Bool.random(using: &generator) else { return value }
        return [-value, .nan, .infinity, -.infinity, 1e308, .leastNonzeroMagnitude, 0].randomElement(using: &generator)
            ?? value
    }
}
