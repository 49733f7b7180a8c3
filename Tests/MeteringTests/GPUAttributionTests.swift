import Metering
import TestSupport
import Testing
import Units

private let card = "gpu-0"

private func sample(
    _ joules: Double, low: Double? = nil, high: Double? = nil, seconds: Double = 1, processes: [ProcessUse]? = nil
) -> DomainSample {
    let start = Timestamp(seconds: 1_700_000_000)
    let range = EnergyRange(
        Energy(joules: joules), low: low.map { Energy(joules: $0) }, high: high.map { Energy(joules: $0) })
    return DomainSample(
        domain: card, kind: .gpu, start: start, end: start.advanced(by: .seconds(seconds)), seconds: seconds,
        reading: .energy(range), tier: .measured, source: "a test", processes: processes)
}

private func usage(_ account: Account, _ use: GPUUse? = nil) -> Usage {
    // CPU time is another matter and must not show in any of the results.
    Usage(account: account, cpuSeconds: 3, reservedCPUs: 2, gpus: use.map { [card: $0, "gpu-1": GPUUse()] } ?? [:])
}

private func on(_ seconds: Double?, memory: Int64? = nil) -> GPUUse {
    GPUUse(isPresent: true, seconds: seconds, memoryBytes: memory)
}

private func share(_ sample: DomainSample, idle: Double? = 20, _ usages: [Usage]) -> [Share] {
    attribute(
        sample, idlePower: idle.map { Power(watts: $0) }, usages: usages, machine: MachineSize(cpus: 8, memoryBytes: 0))
}

extension [Share] {
    fileprivate subscript(_ account: Account) -> Share {
        first { $0.account == account } ?? Share(account: account)
    }

    /// Active, reserved idle, low and high, in joules.
    fileprivate func joules(_ account: Account) -> [Double] {
        let share = self[account]
        return [share.active.joules, share.reservedIdle.joules, share.low.joules, share.high.joules]
    }

    fileprivate var total: Energy { reduce(.zero) { $0 + $1.energy } }
}

@Suite struct GPUAttributionTests {
    @Test func whoIsAloneOnACardHasAllOfIt() {
        let shares = share(sample(100, low: 90, high: 120), [usage(.job(1), on(0.1)), usage(.job(2)), usage(.system)])
        #expect(shares.joules(.job(1)) == [80, 20, 90, 120], "in the sample's own range")
        #expect(shares.joules(.job(2)) == [0, 0, 0, 0] && shares[.system].energy == .zero)
        #expect(shares.map(\.account) == [.job(1), .job(2), .system, .idle] && shares.total.joules == 100)
        // So it is where nobody knows how busy it kept the card, or what the card draws at idle.
        #expect(share(sample(100), [usage(.job(1), on(nil))]).joules(.job(1)) == [80, 20, 100, 100])
        #expect(share(sample(100), idle: nil, [usage(.job(1), on(nil))]).joules(.job(1)) == [100, 0, 100, 100])
        #expect(share(sample(100), [usage(.system, on(nil)), usage(.job(1))]).joules(.system) == [80, 20, 100, 100])
    }

    @Test func anOwnersCardIsItsOwnAlsoWhileItDoesNothing() {
        let owner = GPUUse(isOwner: true)
        let alone = share(sample(25), [usage(.job(1), owner), usage(.job(2)), usage(.system)])
        #expect(alone.joules(.job(1)) == [5, 20, 25, 25])
        // A stranger on it has drawn what is active; the card is still reserved.
        let visited = share(sample(100), [usage(.job(1), owner), usage(.system, on(0.5))])
        #expect(visited.joules(.job(1)) == [0, 20, 20, 20] && visited.joules(.system) == [80, 0, 80, 80])
        let shared = share(
            sample(100),
            [usage(.job(1), GPUUse(isPresent: true, seconds: 0.6, isOwner: true)), usage(.job(2), on(0.2))])
        // 80 J by 3 : 1; with weights of 3 and of a third, 1/2 to 9/10 of it.
        #expect(shared.joules(.job(1)) == [60, 20, 60, 92] && shared.joules(.job(2)) == [20, 0, 8, 40])
        // Only jobs are given cards.
        #expect(share(sample(25), [usage(.system, owner)]).joules(.idle) == [0, 20, 20, 20])
    }

    @Test func severalShareByGPUSecondsAndTheIdlePartEqually() {
        let shares = share(
            sample(200, seconds: 2),
            [usage(.job(1), on(0.9)), usage(.job(2), on(0.6)), usage(.job(3)), usage(.system, on(0))])
        // 160 J active by 3 : 2, 40 J idle in halves. Bounds of job 1: 0.9/(0.9 + 3 x 0.6) = 1/3, 2.7/(2.7 + 0.6) = 9/11,
        // of the active part.
        #expect(shares[.job(1)].active.joules == 96 && shares[.job(1)].reservedIdle.joules == 20)
        #expect(abs(shares[.job(1)].low.joules - 73.333333) < 2e-6)
        #expect(abs(shares[.job(1)].high.joules - 150.909091) < 2e-6)
        #expect(shares[.job(2)].active.joules == 64 && shares[.job(2)].reservedIdle.joules == 20)
        // The screen's server, which did nothing, holds nothing.
        #expect(shares.joules(.system) == [0, 0, 0, 0] && shares[.idle].energy == .zero)
        #expect(shares.total.joules == 200)
    }

    @Test func grantedPartsHoldTheIdlePowerUsedOrNot() {
        let shares = share(
            sample(100),
            [
                usage(.job(1), GPUUse(isPresent: true, seconds: 1, grantedShare: 0.5)),
                usage(.job(2), GPUUse(grantedShare: 0.25)), usage(.system, GPUUse(grantedShare: 1)),
            ])
        #expect(shares.joules(.job(1)) == [80, 10, 90, 90] && shares.joules(.job(2)) == [0, 5, 5, 5])
        #expect(shares.joules(.idle) == [0, 5, 5, 5] && shares[.system].energy == .zero)
    }

    @Test func withoutUtilisationMemoryGivesThePointAndTheRangeIsAll() {
        let gibibyte: Int64 = 1 << 30
        let usages = [
            usage(.job(1), on(nil, memory: 30 * gibibyte)), usage(.job(2), on(0.5, memory: 10 * gibibyte)),
        ]
        let shares = share(sample(100), usages)
        // 80 J by 3 : 1, and 10 J reserved idle each; either may have drawn none or all of the 80 J.
        #expect(shares.joules(.job(1)) == [60, 10, 10, 90] && shares.joules(.job(2)) == [20, 10, 10, 90])
        // Unknown idle power: from nothing to everything.
        let blind = share(sample(100), idle: nil, usages)
        #expect(blind.joules(.job(1)) == [75, 0, 0, 100] && blind.joules(.job(2)) == [25, 0, 0, 100])
    }

    @Test func withoutMemoryEitherItIsHalvedAndTheRangeIsAll() {
        let usages = [usage(.job(1), on(nil, memory: 5)), usage(.system, on(nil))]
        let shares = share(sample(100, low: 90, high: 110), usages)
        #expect(shares.joules(.job(1)) == [40, 20, 18, 110] && shares.joules(.system) == [40, 0, 0, 88])
        // Nobody worked, yet the card draws: somebody's context keeps it awake, and nobody knows whose.
        let awake = share(sample(50), [usage(.job(1), on(0)), usage(.job(2), on(0))])
        #expect(awake.joules(.job(1)) == [15, 10, 10, 40] && awake.joules(.job(2)) == [15, 10, 10, 40])
        // Who holds no memory may still have drawn it all.
        let bare = share(sample(100), [usage(.job(1), on(nil, memory: 5)), usage(.job(2), on(nil, memory: 0))])
        #expect(bare.joules(.job(2)) == [0, 10, 10, 90])
    }

    @Test func nobodysCardIsIdleAndWhatItDrawsBeyondIsAGap() {
        let usages = [usage(.job(1)), usage(.system)]
        let shares = share(sample(35), usages)
        #expect(shares.joules(.idle) == [0, 20, 20, 20] && shares.joules(.gap) == [15, 0, 15, 15])
        #expect(share(sample(18), usages).joules(.idle) == [0, 18, 18, 18])
        let unknown = share(sample(35), idle: nil, usages)
        #expect(unknown.joules(.gap) == [35, 0, 0, 35] && unknown.joules(.idle) == [0, 0, 0, 35])
    }

    @Test func hostileUsesAreClamped() {
        let usages = [
            usage(.job(1), GPUUse(isPresent: true, seconds: -1, memoryBytes: .min, grantedShare: .nan)),
            usage(.job(2), on(1)), usage(.job(2), on(.infinity)), usage(.idle, on(5)), usage(.gap, on(5)),
        ]
        let shares = share(sample(100), usages)
        // Of job 2 half is unknown, so all is: halves.
        #expect(shares.map(\.account) == [.job(1), .job(2), .idle])
        #expect(shares.joules(.job(1)) == [40, 10, 10, 90] && shares.joules(.job(2)) == [40, 10, 10, 90])
        let huge = [usage(.job(1), on(1e300, memory: .max)), usage(.job(1), on(1e300, memory: .max))]
        #expect(share(sample(100), huge).joules(.job(1)) == [80, 20, 100, 100])
    }

    @Test func conservationHoldsForTwentyThousandRandomCards() {
        var generator = Seeded(4711)
        for _ in 0..<20_000 {
            let microjoules = Int64.random(in: 0...60_000_000_000, using: &generator)
            var sample = sample(0, seconds: .random(in: 0...30, using: &generator))
            sample.reading = .energy(
                EnergyRange(
                    Energy(microjoules: microjoules), low: Energy(microjoules: microjoules / 2),
                    high: Energy(microjoules: microjoules * 2)))
            let usages = (0..<Int.random(in: 0...9, using: &generator)).map { index in
                let account: Account =
                    [.job(Int64(index)), .job(1), .system, .daemon, .idle, .gap].randomElement(using: &generator)
                    ?? .system
                return usage(account, .random(using: &generator))
            }
            let idle = Bool.random(using: &generator) ? nil : Double.random(in: 0...3000, using: &generator)
            let shares = share(sample, idle: idle, usages)
            #expect(shares.total.microjoules == microjoules)
            for share in shares {
                #expect(share.active >= .zero && share.reservedIdle >= .zero)
                #expect(share.low >= .zero && share.low <= share.energy && share.energy <= share.high)
                // A microjoule may be apportioned beyond the exact end.
                #expect(share.high.microjoules <= microjoules * 2 + 1)
            }
        }
    }
}

extension GPUUse {
    fileprivate static func random(using generator: inout Seeded) -> GPUUse? {
        let odd = [Double.nan, .infinity, -1, 0, .leastNonzeroMagnitude, 1e308]
        func number(_ range: ClosedRange<Double>) -> Double? {
            switch Int.random(in: 0...9, using: &generator) {
            case 0: nil
            case 1: odd.randomElement(using: &generator)
            default: .random(in: range, using: &generator)
            }
        }
        if Int.random(in: 0...4, using: &generator) == 0 { return nil }
        let bytes: Int64? = [nil, 0, .max, .min, 1 << 30, 5 << 30].randomElement(using: &generator) ?? nil
        return GPUUse(
            isPresent: .random(using: &generator), seconds: number(0...30), memoryBytes: bytes,
            isOwner: Int.random(in: 0...9, using: &generator) == 0,
            grantedShare: Bool.random(using: &generator) ? nil : number(0...1))
    }
}

@Suite struct GPUTenantsTests {
    private let usages = [
        Usage(account: .job(1), cpuSeconds: 1), Usage(account: .job(2), cpuSeconds: 1),
        Usage(account: .system, cpuSeconds: 5),
    ]

    @Test func processesBecomeTheUseOfTheirAccounts() {
        let uses = GPUTenants.uses(
            of: [
                ProcessUse(pid: 10, seconds: 0.25, memoryBytes: 100),
                ProcessUse(pid: 11, seconds: 0.5, memoryBytes: 50),
                ProcessUse(pid: 20, seconds: 0.5, memoryBytes: 7), ProcessUse(pid: 21, seconds: nil, memoryBytes: 7),
            ]) { $0 < 20 ? .job(1) : .system }
        #expect(uses[.job(1)] == GPUUse(isPresent: true, seconds: 0.75, memoryBytes: 150))
        #expect(uses[.system] == GPUUse(isPresent: true, seconds: nil, memoryBytes: 14) && uses.count == 2)
    }

    @Test func foreignProcessesAreTheSystems() {
        var tenants = GPUTenants()
        let sample = sample(100, processes: [ProcessUse(pid: 10, seconds: 0.6), ProcessUse(pid: 99, seconds: 0.2)])
        // 99 is of a job that has ended: it is none of the accounts any more.
        let full = tenants.adding([sample], to: usages) { $0 == 10 ? .job(1) : .job(9) }
        #expect(full.map(\.gpus) == [[card: on(0.6)], [:], [card: on(0.2)]])
        let shares = share(sample, full)
        #expect(shares.joules(.job(1)) == [60, 20, 60, 92] && shares.joules(.system) == [20, 0, 8, 40])
        // Where the usages have no line for the system, it gets one.
        let added = tenants.adding([sample], to: [usages[0]]) { $0 == 10 ? .job(1) : .system }
        #expect(added.map(\.account) == [.job(1), .system] && added.last?.gpus == [card: on(0.2)])
    }

    @Test func whoseAProcessWasIsRememberedUntilNoSampleTellsOfIt() {
        var tenants = GPUTenants()
        let processes = [ProcessUse(pid: 10, seconds: 0.5)]
        _ = tenants.adding([sample(1, processes: processes)], to: usages) { _ in .job(2) }
        #expect(tenants.adding([], to: usages) { _ in nil } == usages)
        let ended = tenants.adding([sample(1, processes: processes)], to: usages) { _ in nil }
        #expect(ended.map(\.gpus) == [[:], [card: on(0.5)], [:]])
        _ = tenants.adding([sample(1, processes: [])], to: usages) { _ in nil }
        let forgotten = tenants.adding([sample(1, processes: processes)], to: usages) { _ in nil }
        #expect(forgotten.map(\.gpus) == [[:], [:], [card: on(0.5)]])
    }

    @Test func whatTheDaemonGrantedStays() {
        var tenants = GPUTenants()
        var granted = usages
        granted[0].gpus[card] = GPUUse(isOwner: true)
        granted[1].gpus["gpu-1"] = GPUUse(grantedShare: 0.5)
        let full = tenants.adding([sample(1, processes: [ProcessUse(pid: 10, seconds: 0.5)])], to: granted) { _ in
            .job(1)
        }
        #expect(full[0].gpus == [card: GPUUse(isPresent: true, seconds: 0.5, isOwner: true)])
        #expect(full[1].gpus == ["gpu-1": GPUUse(grantedShare: 0.5)])
        // A meter that cannot tell of processes changes nothing.
        #expect(tenants.adding([sample(1)], to: granted) { _ in .job(1) } == granted)
    }
}
