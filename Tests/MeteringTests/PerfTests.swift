import Glibc
import LinuxSystem
import Synchronization
import Testing
import Units

@testable import Metering

/// The processor's energy events through perf, each trap with the joules worked out by hand.
@Suite struct PerfTests {
    private func machine(_ joules: [String: Double], mask: String = "0") throws -> FakeMachine {
        let machine = try FakeMachine()
        try machine.perf(mask: mask)
        for (event, joules) in joules {
            try machine.perf(event, mask: mask)
            for cpu in try #require(CPUTopology.list(mask)) { try machine.count(event, cpu: cpu, joules: joules) }
        }
        return machine
    }

    @Test func countsBecomeJoulesAndWhatIsInsideAPackageIsNotCounted() throws {
        let machine = try machine(["energy-pkg": 0, "energy-ram": 0, "energy-cores": 0, "energy-gpu": 0])
        var meters = machine.meters()
        try machine.count("energy-pkg", joules: 42.5)
        try machine.count("energy-ram", joules: 5.25)
        try machine.count("energy-cores", joules: 30)
        let samples = machine.tick(&meters)
        #expect(samples.mapValues(\.joules) == ["package-0": 42.5, "dram-0": 5.25])
        #expect(samples["dram-0"]?.kind == .memory && samples["package-0"]?.tier == .measured)
        #expect(samples["package-0"]?.source == "RAPL counter energy-pkg (CPU 0) through perf")
        for part in ["core of package-0", "uncore of package-0"] {
            let shown = meters.descriptions.first { $0.domain == part }
            #expect(shown?.counted == false && shown?.status == "lies inside package-0: not counted")
        }
    }

    /// 2^32 counts are one joule: one count is 0.23 nJ, and parts of a microjoule are not lost.
    @Test func partsOfAMicrojouleAddUp() throws {
        let machine = try machine(["energy-pkg": 0])
        let counter = "sys/bus/event_source/devices/power/counters/energy-pkg@0"
        var meters = machine.meters()
        // 6,442 counts are 1.4999 µJ, twice that 2.9998 µJ.
        try machine.write(counter, "6442")
        #expect(machine.tick(&meters)["package-0"]?.energy?.energy == Energy(microjoules: 1))
        try machine.write(counter, "12885")
        #expect(machine.tick(&meters)["package-0"]?.energy?.energy == Energy(microjoules: 2))
    }

    @Test(arguments: ["0,16", "0-1"])
    func twoSocketsAreCountedEach(mask: String) throws {
        let machine = try machine(["energy-pkg": 0, "energy-ram": 0], mask: mask)
        let second = mask == "0,16" ? 16 : 1
        var meters = machine.meters()
        for (cpu, package, memory) in [(0, 40.0, 3.0), (second, 60, 4)] {
            try machine.count("energy-pkg", cpu: cpu, joules: package)
            try machine.count("energy-ram", cpu: cpu, joules: memory)
        }
        let samples = machine.tick(&meters)
        #expect(samples.mapValues(\.joules) == ["package-0": 40, "package-1": 60, "dram-0": 3, "dram-1": 4])
    }

    @Test func socketsAndDiesAreNamedAsPowercapNamesThem() throws {
        let machine = try machine(["energy-pkg": 0, "energy-ram": 0], mask: "0,8")
        func topology(_ cpu: Int, package: String, die: String) throws {
            let path = "sys/devices/system/cpu/cpu\(cpu)/topology/"
            try machine.write(path + "physical_package_id", package)
            try machine.write(path + "die_id", die)
        }
        func packages() -> [String] { machine.meters().descriptions.map(\.domain).filter { $0.hasPrefix("package") } }
        try topology(0, package: "1", die: "0")
        try topology(8, package: "0", die: "0")
        #expect(packages() == ["package-1", "package-0"])
        try topology(8, package: "1", die: "1")
        #expect(packages() == ["package-1-die-0", "package-1-die-1"])
        #expect(machine.meters().descriptions.contains { $0.domain == "dram-1-die-1" })
        // Some virtual machines number all sockets alike, or with -1.
        try topology(8, package: "1", die: "0")
        #expect(packages() == ["package-0", "package-1"])
        try topology(8, package: "-1", die: "0")
        #expect(packages() == ["package-0", "package-1"])
    }

    @Test func diesThatShowOneCounterAreCountedOnce() throws {
        let machine = try machine(["energy-pkg": 0], mask: "0,8")
        var meters = machine.meters()
        for cpu in [0, 8] { try machine.count("energy-pkg", cpu: cpu, joules: 50) }
        #expect(machine.tick(&meters).mapValues(\.joules) == ["package-0": 50])
        let status = meters.descriptions.first { $0.domain == "package-1" }?.status
        #expect(status == "shows the counter of package-0: counted once")
    }

    @Test func thePlatformIsNotAddedToThePackagesItHolds() throws {
        let machine = try machine(["energy-pkg": 0, "energy-psys": 0])
        var meters = machine.meters()
        try machine.count("energy-pkg", joules: 10)
        try machine.count("energy-psys", joules: 30)
        #expect(machine.tick(&meters).mapValues(\.joules) == ["package-0": 10])
        #expect(meters.descriptions.first { $0.domain == "psys" }?.status.hasPrefix("holds the packages") == true)
    }

    @Test func thePlatformAloneIsTheWholeAndOne() throws {
        let machine = try machine(["energy-psys": 0, "energy-ram": 0], mask: "0,8")
        var meters = machine.meters()
        try machine.count("energy-psys", cpu: 0, joules: 30)
        try machine.count("energy-psys", cpu: 8, joules: 7)
        try machine.count("energy-ram", joules: 2)
        #expect(machine.tick(&meters).mapValues(\.joules) == ["psys": 30])
    }

    @Test func theCoresOfAMDAreShownInsideThePackages() throws {
        let machine = try machine(["energy-pkg": 0])
        try machine.write("sys/bus/event_source/devices/power_core/type", "23\n")
        let cores = machine.meters().descriptions.first { $0.domain == "core of each package" }
        #expect(cores?.counted == false && cores?.status == "lies inside each package: not counted")
    }

    @Test func powercapComesFirstAndPerfAddsWhatItLacks() throws {
        let machine = try machine(["energy-pkg": 0, "energy-ram": 0, "energy-psys": 0])
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        var meters = machine.meters()
        try machine.energy("intel-rapl:0", 11_000_000)
        try machine.count("energy-pkg", joules: 11)
        try machine.count("energy-ram", joules: 2)
        try machine.count("energy-psys", joules: 20)
        let samples = machine.tick(&meters)
        #expect(samples.mapValues(\.joules) == ["package-0": 11, "dram-0": 2])
        #expect(samples["package-0"]?.source.hasSuffix("through powercap") == true)
        // With memory there too nothing is left for perf.
        try machine.zone("intel-rapl:0:0", name: "dram", energy: 0)
        #expect(machine.meters().descriptions.allSatisfy { $0.source.hasSuffix("through powercap") })
    }

    @Test func wherePowercapCannotBeReadPerfStandsIn() throws {
        let machine = try machine(["energy-pkg": 0])
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        try machine.write("sys/class/powercap/intel-rapl:0/energy_uj", "unreadable\n")
        var meters = machine.meters()
        try machine.count("energy-pkg", joules: 8)
        #expect(machine.tick(&meters).mapValues(\.joules) == ["package-0": 8])
    }

    @Test func aPlatformCountedByPowercapLeavesNothingToPerf() throws {
        let machine = try machine(["energy-pkg": 0, "energy-ram": 0])
        try machine.zone("intel-rapl:0", name: "psys", energy: 0)
        #expect(machine.meters().descriptions.map(\.domain) == ["psys"])
    }

    /// Powercap's memory lies in the platform that perf reads: 30 J less 4 J.
    @Test func memoryOfPowercapIsTakenOutOfThePlatformOfPerf() throws {
        let machine = try machine(["energy-psys": 0])
        try machine.zone("intel-rapl:0", name: "dram", energy: 0)
        var meters = machine.meters()
        try machine.energy("intel-rapl:0", 4_000_000)
        try machine.count("energy-psys", joules: 30)
        #expect(machine.tick(&meters).mapValues(\.joules) == ["dram": 4, "psys": 26])
    }

    @Test func aJumpAboveTwoKilowattsIsAGap() throws {
        let machine = try machine(["energy-pkg": 0])
        var meters = machine.meters()
        try machine.count("energy-pkg", joules: 1900)
        #expect(machine.tick(&meters)["package-0"]?.joules == 1900)
        try machine.count("energy-pkg", joules: 4000)
        #expect(machine.tick(&meters)["package-0"]?.gap?.hasPrefix("the counter jumped above") == true)
        try machine.count("energy-pkg", joules: 4100)
        #expect(machine.tick(&meters)["package-0"]?.joules == 100)
    }

    /// The kernel makes 64 bits of the hardware's 32; a count that goes back was opened anew, and is no wrap.
    @Test func aCounterThatGoesBackIsAGapAndANewBaseline() throws {
        let machine = try machine(["energy-pkg": 1e6])
        var meters = machine.meters()
        try machine.count("energy-pkg", joules: 3)
        #expect(machine.tick(&meters)["package-0"]?.gap == "the counter went back and its range cannot be read")
        try machine.count("energy-pkg", joules: 5)
        #expect(machine.tick(&meters)["package-0"]?.joules == 2)
    }

    @Test func aCounterThatVanishesAndReturnsStartsAnew() throws {
        let machine = try machine(["energy-pkg": 10])
        var meters = machine.meters()
        try machine.remove("sys/bus/event_source/devices/power/counters")
        let reason = "the counter cannot be read: No such file or directory"
        for _ in 1...2 { #expect(machine.tick(&meters)["package-0"]?.gap == reason) }
        try machine.count("energy-pkg", joules: 900)
        #expect(machine.tick(&meters)["package-0"]?.gap == "the counter came back: new baseline")
        try machine.count("energy-pkg", joules: 912)
        #expect(machine.tick(&meters)["package-0"]?.joules == 12)
    }

    /// The psys event of some virtual machines reads 0 for ever: gaps, then out of use, and the model stands in.
    @Test func aCounterThatNeverAdvancesIsQuarantinedAndTheModelStandsIn() throws {
        let machine = try machine(["energy-psys": 0])
        try machine.write("proc/meminfo", "MemTotal: 1048576 kB\n")
        var meters = machine.meters()
        for _ in 1...30 {
            #expect(meters.descriptions.map(\.domain) == ["psys"])
            #expect(machine.tick(&meters).mapValues(\.gap) == ["psys": "the counter stood still"])
        }
        let psys = try #require(meters.descriptions.first { $0.domain == "psys" })
        #expect(!psys.counted && psys.status == "the counter stood still for 30 s: not used any more")
        // 1 GiB at 0.3725 W/GiB, from the tick after the verdict.
        #expect(machine.tick(&meters).mapValues(\.joules) == ["cpu-model": nil, "memory-model": 0.3725])
        try machine.count("energy-psys", joules: 5)
        #expect(machine.tick(&meters)["psys"] == nil, "the verdict stays")
    }

    /// Leaving the one out would make the other look like the whole.
    @Test func ofTwoSocketsTheOneThatStandsStillStaysAGap() throws {
        let machine = try machine(["energy-pkg": 0], mask: "0,8")
        var meters = machine.meters()
        for second in 1...40 {
            try machine.count("energy-pkg", cpu: 0, joules: Double(second) * 20)
            let samples = machine.tick(&meters)
            #expect(samples["package-0"]?.joules == 20)
            let reason = "the counter stood still\(second > 30 ? " for 30 s: not used any more" : "")"
            #expect(samples["package-1"]?.gap == reason)
        }
        let package = meters.descriptions.first { $0.domain == "package-1" }
        #expect(package?.counted == true && package?.status == "the counter stood still for 30 s: not used any more")
    }

    @Test func aCounterThatMovesNowAndThenIsNotQuarantined() throws {
        let machine = try machine(["energy-pkg": 0])
        var meters = machine.meters()
        for second in 1...90 {
            if second % 25 == 0 { try machine.count("energy-pkg", joules: Double(second)) }
            let gap = second % 25 == 0 ? "the counter moved again after 24 s" : "the counter stood still"
            #expect(machine.tick(&meters)["package-0"]?.gap?.hasPrefix(gap) == true)
        }
        #expect(meters.descriptions.first?.counted == true)
        try machine.count("energy-pkg", joules: 90)
        #expect(machine.tick(&meters)["package-0"]?.gap?.hasPrefix("the counter moved again after 15 s") == true)
        try machine.count("energy-pkg", joules: 110)
        #expect(machine.tick(&meters)["package-0"]?.joules == 20)
    }

    /// Its CPU gives no count when mld starts: a gap beside the other socket, opened anew at each reading.
    @Test(arguments: [0, 8]) func aSocketUnreadableAtTheStartIsAGapBesideTheOther(unreadable: Int) throws {
        let machine = try machine(["energy-pkg": 0], mask: "0,8")
        try machine.remove("sys/bus/event_source/devices/power/counters/energy-pkg@\(unreadable)")
        var meters = machine.meters()
        let (late, sound) = unreadable == 0 ? ("package-0", "package-1") : ("package-1", "package-0")
        #expect(meters.descriptions.map(\.domain) == ["package-0", "package-1"])
        try machine.count("energy-pkg", cpu: 8 - unreadable, joules: 30)
        var samples = machine.tick(&meters)
        #expect(samples[sound]?.joules == 30)
        #expect(samples[late]?.gap == "the counter cannot be read: No such file or directory")
        for cpu in [0, 8] { try machine.count("energy-pkg", cpu: cpu, joules: 60) }
        samples = machine.tick(&meters)
        #expect(samples[sound]?.joules == 30)
        #expect(samples[late]?.gap == "the counter came back: new baseline")
        try machine.count("energy-pkg", cpu: unreadable, joules: 105)
        try machine.count("energy-pkg", cpu: 8 - unreadable, joules: 90)
        samples = machine.tick(&meters)
        #expect(samples[sound]?.joules == 30 && samples[late]?.joules == 45)
    }

    /// 1 J ahead at 100 W: read 10 ms late.
    @Test func oneLateReadDoesNotMakeTwoSockets() throws {
        let machine = try machine(["energy-pkg": 0], mask: "0,8")
        var meters = machine.meters()
        for second in 1...12 {
            try machine.count("energy-pkg", cpu: 0, joules: Double(second) * 100)
            try machine.count("energy-pkg", cpu: 8, joules: Double(second) * 100 + (second == 7 ? 1 : 0))
            #expect(machine.tick(&meters).mapValues(\.joules) == ["package-0": 100])
        }
    }

    @Test(arguments: [EACCES, EPERM])
    func withoutPermissionItSaysWhatToDo(code: Int32) throws {
        let machine = try machine(["energy-pkg": 0])
        let closed = PerfEvents { _ throws(LinuxError) in throw LinuxError("perf_event_open", code: code) }
        let reader = try #require(PerfReader(roots: machine.roots, events: closed))
        let package = try #require(reader.descriptions.first)
        #expect(package.domain == "package-0" && !package.counted)
        #expect(package.status.hasSuffix("; mld needs CAP_PERFMON, or kernel.perf_event_paranoid must be 0 or less"))
    }

    @Test func theEventIsOpenedAsTheKernelStatesIt() throws {
        let machine = try machine(["energy-pkg": 0], mask: "0,16")
        try machine.write("sys/bus/event_source/devices/power/events/energy-pkg", "event=0x02\n")
        let opened = Opened()
        let events = PerfEvents { request throws(LinuxError) in
            opened.requests.withLock { $0.append(request) }
            return PerfEvents.Count { () throws(LinuxError) in 0 }
        }
        _ = PerfReader(roots: machine.roots, events: events)
        let expected = [Int32(0), 16].map { PerfEvents.Request(name: "energy-pkg", type: 22, config: 2, cpu: $0) }
        #expect(opened.requests.withLock { $0 } == expected)
    }

    private final class Opened: Sendable {
        let requests = Mutex<[PerfEvents.Request]>([])
    }

    /// The one call of the kernel that no tree can stand in for, by an event that every machine has.
    @Test(.enabled(if: PerfTests.mayCount, "needs CAP_PERFMON or kernel.perf_event_paranoid of 0 or less"))
    func theKernelsCountersAreRead() throws {
        // PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK: nanoseconds of the CPU.
        let counter = try Descriptor.perfCounter(type: 1, config: 0, cpu: 0)
        let first = try counter.perfCount()
        #expect(try counter.perfCount() > first)
    }

    private static let mayCount = (try? Descriptor.perfCounter(type: 1, config: 0, cpu: 0).perfCount()) != nil

    @Test func anEventThatDoesNotExistIsAnErrorAndNotACounter() {
        #expect(throws: LinuxError.self) { try Descriptor.perfCounter(type: .max, config: 0, cpu: 0).perfCount() }
    }

    @Test(arguments: [
        ("type", "many"), ("type", "4294967296"), ("cpumask", ""), ("cpumask", "0-"), ("cpumask", "1-0"),
        ("cpumask", "0,0"), ("cpumask", "0,99999"), ("cpumask", "-1"), ("events/energy-pkg", "event=2"),
        ("events/energy-pkg", "event=0x02,umask=0x1"), ("events/energy-pkg", "event=0x1ff"),
        ("events/energy-pkg.unit", "Watts"), ("events/energy-pkg.scale", "nan"), ("events/energy-pkg.scale", "-1"),
        ("events/energy-pkg.scale", "1"), ("events/energy-pkg.scale", "0"),
    ])
    func nonsenseInTheTreeIsShownAndNotRead(file: String, text: String) throws {
        let machine = try machine(["energy-pkg": 0])
        try machine.write("sys/bus/event_source/devices/power/\(file)", text)
        let meters = machine.meters()
        let shown = meters.descriptions.first { $0.source.hasSuffix("through perf") }
        #expect(shown?.counted == false && shown?.status.hasPrefix("cannot be read: ") == true)
        #expect(meters.descriptions.contains { $0.domain == "cpu-model" && $0.counted }, "the model stands in")
    }

    @Test(arguments: ["-1", "1e9", "", "99999999999999999999", "18446744073709551615"])
    func nonsenseInACounterIsAGap(text: String) throws {
        let machine = try machine(["energy-pkg": 0])
        var meters = machine.meters()
        try machine.write("sys/bus/event_source/devices/power/counters/energy-pkg@0", text)
        #expect(machine.tick(&meters)["package-0"]?.gap != nil)
    }

    /// Some virtual machines show a platform counter that reads 0 for ever: it must not cost the first half-minute.
    @Test func aCounterThatStandsStillWhenOpenedIsNotUsed() throws {
        let machine = try machine(["energy-psys": 0])
        let still = PerfEvents(open: { _ in .init(read: { 7 }) }, moves: PerfEvents.advances)
        let reader = try #require(PerfReader(roots: machine.roots, events: still))
        let psys = try #require(reader.descriptions.first)
        #expect(!psys.counted && psys.status == "it stood still for 0.1 s when it was opened: not used")

        let reads = Mutex<UInt64>(0)
        let moving = PerfEvents(
            open: { _ in
                .init(read: {
                    reads.withLock {
                        $0 += 1
                        return $0
                    }
                })
            }, moves: PerfEvents.advances)
        #expect(try #require(PerfReader(roots: machine.roots, events: moving)?.descriptions.first).counted)
    }

    /// A tree of other hardware must never show this machine's: without files of counts there is nothing to read.
    @Test func aStandInTreeNeverOpensTheMachinesEvents() throws {
        let machine = try FakeMachine()
        try machine.perf("energy-pkg")
        let package = machine.meters().descriptions.first { $0.domain == "package-0" }
        #expect(package?.counted == false && package?.status == "cannot be opened: No such file or directory")
    }
}
