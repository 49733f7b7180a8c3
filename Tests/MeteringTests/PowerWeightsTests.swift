import Metering
import TestSupport
import Testing
import Units

private let machine = MachineSize(cpus: 16, memoryBytes: 64 << 30)
private let idle = Power(watts: 40)

private func sample(
    _ joules: Double?, kind: DomainKind = .cpu, seconds: Double = 1, tier: MeterTier = .measured
) -> DomainSample {
    let start = Timestamp(seconds: 1_700_000_000)
    return DomainSample(
        domain: "package-0", kind: kind, start: start, end: start, seconds: seconds,
        reading: joules.map { .energy(EnergyRange(Energy(joules: $0))) } ?? .gap("none"), tier: tier,
        source: "a test")
}

/// A package in which a core's watts depend on the job alone.
private struct Package {
    var weights = PowerWeights()
    var watts: [Int64: Double]
    var random = Seeded(7)

    /// One second with the given cores busy; returns the weights learned and the sample.
    mutating func second(
        _ cores: [(job: Int64, cores: Double)], extra: Double = 0
    ) -> (weights: [Account: Double], sample: DomainSample, usages: [Usage]) {
        let active = cores.reduce(0) { $0 + (watts[$1.job] ?? 4) * $1.cores }
        let reading = sample(idle.watts + active * Double.random(in: 0.995...1.005, using: &random) + extra)
        let usages = cores.map { Usage(account: .job($0.job), cpuSeconds: $0.cores, reservedCPUs: 8) }
        return (weights.learn(reading, idlePower: idle, usages: usages, machine: machine), reading, usages)
    }

    /// Two jobs that load and compute in turns of their own for a number of seconds.
    mutating func alternate(_ seconds: Int) -> [Account: Double] {
        var weights: [Account: Double] = [:]
        for second in 0..<seconds {
            weights = self.second([(1, second % 14 < 4 ? 1 : 8), (2, second % 22 < 6 ? 0.5 : 8)]).weights
        }
        return weights
    }
}

extension [Account: Double] {
    fileprivate func ratio(_ first: Int64, _ second: Int64) -> Double {
        (self[.job(first)] ?? .nan) / (self[.job(second)] ?? .nan)
    }
}

@Suite struct PowerWeightsTests {
    @Test func twoJobsOfDifferentIntensityAreToldApartByTheirChanges() {
        var package = Package(watts: [1: 6, 2: 4])
        let learned = package.alternate(120)
        #expect(abs(learned.ratio(1, 2) - 1.5) < 0.03)
        let (weights, sample, usages) = package.second([(1, 8), (2, 8)])
        let shares = attribute(sample, idlePower: idle, usages: usages, machine: machine, weights: weights)
        // 48 of the 80 W above idle are the first job's; by CPU time alone it would get 40.
        #expect(abs(shares[0].active.joules - 48) < 0.6)
    }

    @Test func aStartTellsTheNewcomersWeightAtOnce() {
        var package = Package(watts: [1: 4, 2: 6])
        for second in 0..<60 { _ = package.second([(1, second % 14 < 4 ? 1 : 8)]) }
        let (weights, _, _) = package.second([(1, 8), (2, 8)])
        #expect(abs(weights.ratio(2, 1) - 1.5) < 0.15)
    }

    @Test func accountsOfSteadyUseCannotBeToldApartAndKeepPlainShares() {
        var package = Package(watts: [1: 6, 2: 4])
        var weights: [Account: Double] = [:]
        for _ in 0..<300 { weights = package.second([(1, 8), (2, 8)]).weights }
        #expect(abs(weights.ratio(1, 2) - 1) < 1e-6)
    }

    @Test func theOrderOfTheAccountsMakesNoDifference() {
        var (forth, back) = (PowerWeights(), PowerWeights())
        var random = Seeded(3)
        var compared = 0
        for _ in 0..<200 {
            let usages = (1...5).map {
                Usage(account: .job($0), cpuSeconds: .random(in: 0...3, using: &random), reservedCPUs: 3)
            }
            let reading = sample(.random(in: 60...160, using: &random))
            let a = forth.learn(reading, idlePower: idle, usages: usages, machine: machine)
            let b = back.learn(reading, idlePower: idle, usages: usages.reversed(), machine: machine)
            #expect(a.count == b.count && a.allSatisfy { abs($0.value - (b[$0.key] ?? .nan)) < 1e-9 })
            compared += a.count
        }
        #expect(compared > 500)
    }

    @Test func oneWildReadingDoesNotTurnTheWeights() {
        var package = Package(watts: [1: 6, 2: 4])
        let before = package.alternate(120).ratio(1, 2)
        let after = package.second([(1, 8), (2, 0.5)], extra: 1000).weights.ratio(1, 2)
        #expect(abs(after / before - 1) < 0.05)
    }

    @Test func anIdlePowerThatIsOffDoesNotMakeItForgetWhatItLearned() {
        var package = Package(watts: [1: 6, 2: 4])
        let before = package.alternate(120).ratio(1, 2)
        for _ in 0..<60 { _ = package.second([(1, 0.01), (2, 0.01)], extra: 2) }
        #expect(abs(package.second([(1, 0.01), (2, 0.01)]).weights.ratio(1, 2) / before - 1) < 0.1)
    }

    @Test func aMachineOfOtherClocksIsLearnedAnew() {
        var package = Package(watts: [1: 6, 2: 4])
        _ = package.alternate(120)
        package.watts = [1: 1.2, 2: 1.8]
        #expect(abs(package.alternate(120).ratio(2, 1) - 1.5) < 0.05)
    }

    @Test func weightsStayWithinTheirRatioInWhatIsShared() {
        var package = Package(watts: [1: 60, 2: 1])
        let learned = package.alternate(600)
        #expect(learned.ratio(1, 2) > 3, "the case must be one that is cut")
        let (weights, sample, usages) = package.second([(1, 8), (2, 8)])
        let shares = attribute(sample, idlePower: idle, usages: usages, machine: machine, weights: weights)
        #expect(shares[0].active.joules <= shares[1].active.joules * 3.000001)
        #expect(shares[1].low <= shares[1].energy && shares[1].energy <= shares[1].high)
    }

    @Test func nothingIsLearnedWhereCPUTimeIsAllThereIs() {
        let usages = [Usage(account: .job(1), cpuSeconds: 8), Usage(account: .job(2), cpuSeconds: 4)]
        var weights = PowerWeights()
        for reading in [sample(nil), sample(100, tier: .table), sample(100, kind: .memory), sample(100, kind: .gpu)] {
            #expect(weights.learn(reading, idlePower: idle, usages: usages, machine: machine).isEmpty)
        }
        #expect(weights.learn(sample(100), idlePower: nil, usages: usages, machine: machine).isEmpty)
        #expect(weights.learn(sample(100), idlePower: idle, usages: usages, machine: machine).count == 2)
    }

    @Test func whoEndsIsForgottenAndNoMoreThanSixtyFourAreFollowed() {
        var weights = PowerWeights()
        func learn(_ jobs: ClosedRange<Int64>) -> [Account: Double] {
            let usages = jobs.map { Usage(account: .job($0), cpuSeconds: 0.1, reservedCPUs: 0.1) }
            return weights.learn(sample(100), idlePower: idle, usages: usages, machine: machine)
        }
        #expect(learn(1...150).count == 64)
        #expect(Set(learn(60...70).keys) == Set((60...70).map { Account.job($0) }))
    }

    @Test func hostileNumbersLeaveWeightsThatMakeSense() {
        var package = Package(watts: [1: 6, 2: 4])
        var random = Seeded(99)
        func number() -> Double {
            let value = Double.random(in: 0...20, using: &random)
            let wild = [-value, .nan, .infinity, -.infinity, 1e308, .leastNonzeroMagnitude, 0]
            return Bool.random(using: &random) ? value : wild.randomElement(using: &random) ?? 0
        }
        for _ in 0..<5000 {
            var reading = sample(number(), seconds: number())
            if Int.random(in: 0..<10, using: &random) == 0 {
                reading.reading = .energy(EnergyRange(Energy(microjoules: .random(in: .min ... .max, using: &random))))
            }
            let usages = (1...3).map { Usage(account: .job($0), cpuSeconds: number(), reservedCPUs: number()) }
            let learned = package.weights.learn(
                reading, idlePower: Power(watts: number()), usages: usages,
                machine: MachineSize(cpus: number(), memoryBytes: 0))
            #expect(learned.values.allSatisfy { $0.isFinite && $0 > 0 })
        }
        #expect(abs(package.alternate(600).ratio(1, 2) - 1.5) < 0.05, "sense comes back with sound readings")
    }

    @Test func whatTheMachinesClockHasNotShownYetIsCarriedOn() {
        var remainder = SystemRemainder()
        let usages = [Usage(account: .job(1), cpuSeconds: 0.05)]
        func system(_ busy: Double) -> Double? {
            let load = MachineLoad(busySeconds: busy, idleSeconds: 1, stealSeconds: 0, cpus: 16)
            return remainder.complete(usages, load: load, machine: machine).last?.cpuSeconds
        }
        #expect(system(0.04) == 0)
        #expect(abs((system(0.08) ?? .nan) - 0.02) < 1e-12, "0.01 s of the 0.03 s above the job's was owed")
        #expect(system(0.05) == 0)
    }
}
