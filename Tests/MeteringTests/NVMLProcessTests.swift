import LinuxSystem
import TestSupport
import Testing
import Units

@testable import Metering

/// Who is on a card, through the stand-in for NVIDIA's library.
@Suite(.enabled(if: FakeNVML.library != nil, "a C compiler makes the library that stands in for NVIDIA's"))
struct NVMLProcessTests {
    /// One card that is asked once; what it draws does not matter.
    private final class Bench {
        let machine: FakeMachine
        let library: FakeNVML
        var meters: MeterSet

        init(isOld: Bool = false, _ lines: String...) throws {
            machine = try FakeMachine()
            library = try FakeNVML(in: machine.directory, isOld: isOld)
            try library.say("0 power 100000", lines.joined(separator: "\n"))
            var roots = machine.roots
            roots.nvml = library.path
            meters = MeterSet(readers: [try #require(NVMLReader(roots: roots, patience: 60))])
            #expect(machine.tick(&meters).isEmpty)
        }

        /// µs since 1970, some seconds after now.
        func time(_ after: Double) -> Int64 {
            Timestamp(seconds: 1_700_000_000 + machine.seconds + machine.wallOffset + after).microseconds
        }

        func tick(after seconds: Double = 1, _ lines: String...) throws -> [ProcessUse]? {
            try library.say("0 power 100000", lines.joined(separator: "\n"))
            let sample = try #require(machine.tick(&meters, after: seconds)[card])
            return sample.processes
        }

        var status: String? { meters.descriptions.first { $0.domain == card }?.status }
    }

    private static let card = "gpu-00000000-0000-0000-0000-000000000000"

    @Test func theUseIsUtilisationTimesTime() throws {
        let bench = try Bench()
        let at = bench.time(1)
        let processes = try bench.tick(
            after: 2, "0 compute 41 1000", "0 compute 42 3000", "0 graphics 43 500", "0 sample 41 \(at) 60",
            "0 sample 42 \(at) 25")
        #expect(
            processes == [
                ProcessUse(pid: 41, seconds: 1.2, memoryBytes: 1000),
                ProcessUse(pid: 42, seconds: 0.5, memoryBytes: 3000),
                ProcessUse(pid: 43, seconds: 0, memoryBytes: 500),
            ])
        #expect(bench.status == "ok")
    }

    /// From the library to joules: two jobs and the screen's server on one card of 100 W, of which 25 W are idle power.
    @Test(arguments: [(true, [48, 24, 3]), (false, [25, 25, 25])])
    func twoJobsShareACard(isSampled: Bool, active: [Double]) throws {
        let bench = try Bench()
        let at = bench.time(0.5)
        let lines =
            isSampled ? [(41, 64), (42, 32), (43, 4)].map { "0 sample \($0.0) \(at) \($0.1)" } : ["0 sample-result 3"]
        let listed = "0 compute 41 10\n0 compute 42 10\n0 graphics 43 10\n"
        try bench.library.say("0 power 100000", listed + lines.joined(separator: "\n"))
        let sample = try #require(bench.machine.tick(&bench.meters)[Self.card])
        var tenants = GPUTenants()
        let usages = [
            Usage(account: .job(1), cpuSeconds: 0), Usage(account: .job(2), cpuSeconds: 9),
            Usage(account: .system, cpuSeconds: 9),
        ]
        let full = tenants.adding([sample], to: usages) { [41: .job(1), 42: .job(2)][$0] ?? .system }
        let shares = attribute(
            sample, idlePower: Power(watts: 25), usages: full, machine: MachineSize(cpus: 8, memoryBytes: 0))
        #expect(shares.prefix(3).map(\.active.joules) == active)
        #expect(shares.map(\.reservedIdle.joules) == [12.5, 12.5, 0, 0])
        #expect(isSampled || shares.prefix(3).allSatisfy { $0.high - $0.low == Energy(joules: 75) })
    }

    @Test func aCardWithNobodyOnItSaysSo() throws {
        let bench = try Bench()
        #expect(try bench.tick() == [])
    }

    @Test func aProcessInBothListsIsOneAndItsInstancesAddUp() throws {
        let bench = try Bench()
        let processes = try bench.tick("0 compute 41 1000", "0 compute 41 500", "0 graphics 41 1500")
        #expect(processes == [ProcessUse(pid: 41, seconds: nil, memoryBytes: 1500)])
    }

    @Test func withoutANewSampleTheLastHoldsForAMomentAndThenNobodyWorked() throws {
        let bench = try Bench("0 compute 41 1000")
        #expect(try bench.tick("0 compute 41 1000")?.first?.seconds == nil, "nothing was sampled yet")
        let line = "0 sample 41 \(bench.time(0.5)) 80"
        #expect(try bench.tick("0 compute 41 1000", line)?.first?.seconds == 0.8)
        // The same sample again is none.
        #expect(try bench.tick(after: 0.25, "0 compute 41 1000", line)?.first?.seconds == 0.2)
        #expect(try bench.tick(after: 1, "0 compute 41 1000", line)?.first?.seconds == 0.8)
        #expect(try bench.tick(after: 1, "0 compute 41 1000", line)?.first?.seconds == 0)
    }

    @Test func ofSeveralSamplesTheMeanCounts() throws {
        let bench = try Bench()
        let (one, two) = (bench.time(0.25), bench.time(0.75))
        let processes = try bench.tick(
            "0 compute 41 1", "0 compute 42 1", "0 sample 41 \(one) 30", "0 sample 41 \(two) 50",
            // 42 did nothing in the first half.
            "0 sample 42 \(two) 50")
        #expect(processes?.map(\.seconds) == [0.4, 0.25])
    }

    @Test func whoLeftIsInTheIntervalOfItsEndAndInNoneAfter() throws {
        let bench = try Bench("0 compute 41 1000")
        let end = bench.time(0.5)
        #expect(
            try bench.tick(after: 0.5, "0 sample 41 \(end) 50") == [
                ProcessUse(pid: 41, seconds: 0.25, memoryBytes: 1000)
            ])
        // The driver tells of its last moments when another has the card.
        let late = bench.time(0.25)
        #expect(
            try bench.tick("0 compute 42 1", "0 sample 41 \(late) 50", "0 sample 42 \(late) 20")?.map(\.pid) == [42])
        #expect(try bench.tick() == [ProcessUse(pid: 42, seconds: 0.2, memoryBytes: 1)])
        #expect(try bench.tick() == [])
    }

    @Test func whoCameAndWentBetweenTwoReadingsIsSeenBySamplesAlone() throws {
        let bench = try Bench()
        let processes = try bench.tick("0 sample 41 \(bench.time(0.5)) 50", "0 sample 42 \(bench.time(0.5)) 0")
        #expect(processes == [ProcessUse(pid: 41, seconds: 0.5, memoryBytes: nil)])
    }

    /// A divided card, or one before Maxwell.
    @Test func withoutSamplesTheUseIsUnknownAndTheStatusSaysWhy() throws {
        let bench = try Bench("0 sample-result 3", "0 mig 1")
        let processes = try bench.tick("0 compute 41 1000", "0 sample-result 3")
        #expect(processes == [ProcessUse(pid: 41, seconds: nil, memoryBytes: 1000)])
        #expect(
            bench.status == "ok; how busy each process keeps it cannot be told (NVML error 3, Not Supported)")
    }

    @Test func withoutAListNobodyCanTell() throws {
        let bench = try Bench("0 compute 41 1000")
        #expect(try bench.tick("0 list-result 4", "0 sample 41 \(bench.time(0.5)) 50") == nil)
        #expect(bench.status == "ok; who is on it cannot be told (NVML error 4, Unknown Error)")
        #expect(try bench.tick("0 compute 42 1000")?.map(\.pid) == [42])
    }

    @Test(arguments: [2, 3, 4])
    func everyLayoutOfTheListIsRead(words: Int) throws {
        let bench = try Bench()
        let processes = try bench.tick("0 words \(words)", "0 compute 41 1000", "0 compute 42 18446744073709551615")
        #expect(
            processes == [ProcessUse(pid: 41, memoryBytes: 1000), ProcessUse(pid: 42, memoryBytes: nil)])
    }

    @Test func anOldDriversListIsRead() throws {
        let bench = try Bench(isOld: true)
        let processes = try bench.tick("0 compute 41 1000", "0 compute 42 2000")
        #expect(processes == [ProcessUse(pid: 41, memoryBytes: 1000), ProcessUse(pid: 42, memoryBytes: 2000)])
        #expect(bench.status?.contains("NVML error 3") == true)
    }

    /// As drivers were seen to do it: an unfilled buffer, its first entries of another layout.
    @Test func moreThanAWholeIsNotBelieved() throws {
        let bench = try Bench("0 compute 41 1000")
        let at = bench.time(0.5)
        let processes = try bench.tick("0 compute 41 1000", "0 sample 41 \(at) 37100", "0 sample 50 \(at) 10")
        #expect(processes == [ProcessUse(pid: 41, seconds: nil, memoryBytes: 1000)])
    }

    @Test func impossibleProcessesAndTimesAreLeftOut() throws {
        let bench = try Bench()
        let processes = try bench.tick(
            "0 compute 0 5", "0 compute 4294967295 5", "0 compute 41 9223372036854775808",
            "0 sample 41 18446744073709551615 90", "0 sample 0 \(bench.time(0.5)) 90",
            "0 sample 41 \(bench.time(0.5)) 10", "0 sample 41 \(bench.time(0.5)) 20")
        #expect(processes == [ProcessUse(pid: 41, seconds: 0.2, memoryBytes: .max)])
        // The time from the far future has not made us blind.
        #expect(try bench.tick("0 compute 41 1", "0 sample 41 \(bench.time(0.5)) 30")?.first?.seconds == 0.3)
    }

    @Test func aClockSetBackDoesNotStopTheSamples() throws {
        let bench = try Bench()
        #expect(try bench.tick("0 compute 41 1", "0 sample 41 \(bench.time(0.5)) 30")?.first?.seconds == 0.3)
        bench.machine.wallOffset = -3600
        _ = try bench.tick("0 compute 41 1", "0 sample 41 \(bench.time(0.5)) 40")
        #expect(try bench.tick("0 compute 41 1", "0 sample 41 \(bench.time(0.5)) 50")?.first?.seconds == 0.5)
    }

    @Test func manyAreReadAndImpossiblyManyAreNot() throws {
        let bench = try Bench()
        let lines = (1...5000).map { "0 compute \($0) 1\n0 sample \($0) \(bench.time(0.5)) 1" }
        let processes = try bench.tick(lines.joined(separator: "\n"))
        #expect(processes?.count == 5000 && processes?.allSatisfy { $0.seconds == 0.01 } == true)
        #expect(try bench.tick("0 list-count 4294967295", "0 compute 41 1") == nil)
        #expect(bench.status == "ok; who is on it cannot be told (NVML tells of 4294967295 processes on one card)")
        // Counted, but never written.
        #expect(try bench.tick("0 list-count 40", "0 sample-count 9000", "0 compute 41 1")?.map(\.pid) == [41])
        let line = "0 sample 41 \(bench.time(0.5)) 30"
        #expect(try bench.tick("0 written 4294967295", "0 compute 41 1", line)?.map(\.pid) == [41])
    }

    @Test func aCardThatIsLostHasNoProcesses() throws {
        let bench = try Bench("0 compute 41 1000")
        #expect(try bench.tick("0 result 15", "0 list-result 15", "0 sample-result 15") == nil)
        #expect(bench.status == "the GPU fell off the bus")
    }
}
