import FoundationEssentials
import Glibc
import LinuxSystem
import Testing
import Units

@testable import Metering

/// The BMC's reader with a script in the place of ipmitool. What it does with the answers is ``BMCPowerTests``'s.
@Suite(.timeLimit(.minutes(1)))
struct IPMITests {
    private let machine: FakeMachine

    init() throws {
        machine = try FakeMachine()
        try machine.write("sys/class/ipmi/ipmi0/dev", "240:0\n")
        try machine.write("proc/meminfo", "MemTotal: 1048576 kB\n")
    }

    /// The machine, which has a BMC, with a shell script as its ipmitool.
    private func roots(_ script: String) throws -> SystemRoots {
        // Renamed into its place when it is closed: a program that is open for writing cannot be started.
        try machine.write("ipmitool.new", "#!/bin/sh\ncd '\(machine.directory)'\n" + script)
        chmod(machine.directory + "/ipmitool.new", 0o755)
        rename(machine.directory + "/ipmitool.new", machine.directory + "/ipmitool")
        var roots = machine.roots
        roots.ipmitool = machine.directory + "/ipmitool"
        return roots
    }

    private func reading(_ watts: Int, state: String = "activated") -> String {
        "echo 'Instantaneous power reading: \(watts) Watts'; echo 'Power reading state is: \(state)'\n"
    }

    private func reader(_ roots: SystemRoots, patience: Double = 60) throws -> IPMIReader {
        var reader = try #require(IPMIReader(roots: roots, pause: 0.01, patience: patience))
        reader.begin()
        return reader
    }

    private func tick(_ seconds: Double = 0.001) -> MeterTick {
        let now = Timestamp(seconds: 1_700_000_000)
        return MeterTick(start: now, end: now, seconds: seconds)
    }

    /// Samples until one is as wished; the test's time limit ends what never comes.
    private func sample(
        _ reader: inout IPMIReader, until isWished: (DomainSample) -> Bool
    ) async throws -> DomainSample {
        while true {
            if let sample = reader.sample(tick()).first, isWished(sample) { return sample }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Samples until the BMC is not asked any more.
    private func refusal(of reader: inout IPMIReader) async throws {
        while reader.descriptions.contains(where: \.counted) {
            _ = reader.sample(tick())
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Waits until the script has written a file, and gives its text.
    private func text(_ file: String) async throws -> String {
        while true {
            if let text = try? SystemFile.text(machine.directory + "/" + file), text.hasSuffix("\n") { return text }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    @Test func theBoardsPowerBecomesEnergy() async throws {
        let roots = try roots(reading(220))
        var reader = try reader(roots)
        let sample = try await sample(&reader) { $0.energy != nil }
        // 1 ms at 220 W.
        #expect(sample.energy == EnergyRange(Energy(joules: 0.22)))
        #expect(sample.domain == "platform" && sample.kind == .platform && sample.tier == .measured)
        #expect(reader.descriptions.first?.status == "ok")
    }

    @Test func powerThatChangesWidensTheRange() async throws {
        let roots = try roots("if [ -e once ]; then rm once; \(reading(300))else touch once; \(reading(100))fi\n")
        var reader = try reader(roots)
        let sample = try await sample(&reader) { $0.energy.map { $0.low < $0.high } ?? false }
        #expect(sample.energy?.low == Energy(joules: 0.1) && sample.energy?.high == Energy(joules: 0.3))
    }

    @Test func theProgramIsAskedWithItsArgumentsAndNothingElse() async throws {
        let roots = try roots("echo \"$* $PATH ${HOME-none} $(cat | wc -c)\" > said\n" + reading(220))
        let reader = try reader(roots)
        #expect(try await text("said") == "dcmi power reading /usr/sbin:/usr/bin:/sbin:/bin none 0\n")
        _ = reader
    }

    /// The tick comes back while the program still runs.
    @Test func aSlowProgramBlocksNoTick() async throws {
        let roots = try roots(
            "echo $$ > started\nwhile [ ! -e go ]; do sleep 0.01; done\n" + reading(220))
        var reader = try reader(roots)
        _ = try await text("started")
        for _ in 1...3 {
            let gap = reader.sample(tick()).first?.gap
            #expect(gap?.hasPrefix("the BMC has not answered for") == true)
        }
        try machine.write("go", "")
        _ = try await sample(&reader) { $0.energy != nil }
    }

    @Test func aProgramThatHangsIsKilledAndThenNotAskedAnyMore() async throws {
        let roots = try roots("echo $$ >> pids\nexec sleep 1000\n")
        var reader = try reader(roots, patience: 0.05)
        try await refusal(of: &reader)
        #expect(
            reader.descriptions.first?.status
                == "the BMC is not asked any more: gives no power: ipmitool: no answer within 1 s: killed")
        let pids = try SystemFile.text(machine.directory + "/pids").split(separator: "\n").compactMap { Int32($0) }
        // One after the other, killed and reaped; on a busy machine the last one takes a moment.
        #expect(pids.count >= 3)
        for _ in 0..<100 where pids.contains(where: { kill($0, 0) == 0 }) {
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(pids.allSatisfy { kill($0, 0) != 0 })
        #expect(reader.sample(tick()).isEmpty)
    }

    @Test(arguments: [
        ("echo gibberish\n", "gives no power: ipmitool said: gibberish"),
        ("echo 'No DCMI here' >&2; exit 1\n", "gives no power: ipmitool failed: No DCMI here"),
        ("exec cat /dev/zero\n", "gives no power: ipmitool: printed more than 65536 bytes: killed"),
        (
            "echo 'Instantaneous power reading: 220 Watts'; echo 'Power reading state is: deactivated'\n",
            "its power reading is deactivated"
        ),
    ])
    func aBMCWithoutPowerMakesPlaceForTheModel(script: String, reason: String) async throws {
        let roots = try roots(script)
        var reader = try reader(roots)
        try await refusal(of: &reader)
        #expect(reader.descriptions.first?.status == "the BMC is not asked any more: \(reason)")
    }

    /// The whole way, with the real period: the first answer comes at once.
    @Test func whenDeactivatedTheModelStandsIn() async throws {
        let roots = try roots(reading(220, state: "deactivated"))
        var meters = MeterSet(discovering: roots)
        #expect(meters.descriptions.map(\.domain) == ["platform"])
        #expect(machine.tick(&meters).isEmpty)
        var samples: [String: DomainSample] = [:]
        while samples["memory-model"] == nil {
            samples = machine.tick(&meters, after: 0.001)
            try await Task.sleep(for: .milliseconds(2))
        }
        #expect(samples.keys.sorted() == ["cpu-model", "memory-model"])
        #expect(meters.descriptions.first { $0.domain == "platform" }?.counted == false)
    }

    @Test func nothingIsStartedWhereTheProcessorsAreMeasured() throws {
        let roots = try roots("echo $$ > started\n" + reading(220))
        try machine.zone("intel-rapl:0", name: "package-0", energy: 1)
        var meters = MeterSet(discovering: roots)
        _ = machine.tick(&meters)
        try machine.energy("intel-rapl:0", 5_000_001)
        #expect(machine.tick(&meters).mapValues(\.joules) == ["package-0": 5])
        let board = meters.descriptions.first { $0.domain == "platform" }
        #expect(board?.counted == false && board?.status == "holds the packages, which are counted one by one")
        #expect(access(machine.directory + "/started", F_OK) != 0)
    }

    @Test func theKernelsMeterOfTheBoardComesFirst() throws {
        let roots = try roots(reading(220))
        try machine.chip(0, "power_meter", ["power1_average": "200000000"])
        var meters = MeterSet(discovering: roots)
        _ = machine.tick(&meters)
        #expect(machine.tick(&meters).mapValues(\.joules) == ["platform": 200])
        #expect(meters.descriptions.map(\.status) == ["ok", "repeats a platform meter that is already counted"])
    }

    @Test func aBMCThatNobodyCanAskIsShown() throws {
        var roots = try roots(reading(220))
        try machine.remove("ipmitool")
        let board = IPMIReader(roots: roots)?.descriptions.first
        #expect(board?.counted == false && board?.status == "there is a BMC, but no \(roots.ipmitool ?? "") to ask it")
        // Where there is no BMC, or a stand-in tree was given no program, there is nothing to say.
        roots.ipmitool = nil
        #expect(IPMIReader(roots: roots) == nil)
        roots.ipmitool = "/bin/true"
        try machine.remove("sys/class/ipmi")
        #expect(IPMIReader(roots: roots) == nil)
        #expect(SystemRoots(sysfs: machine.directory).ipmitool == nil && SystemRoots().ipmitool == "ipmitool")
    }

    @Test func droppingTheReaderLeavesNothingBehind() async throws {
        let roots = try roots("echo $$ > pid\nexec sleep 1000\n")
        var reader: IPMIReader? = try self.reader(roots)
        let pid = try #require(Int32(try await text("pid").dropLast()))
        #expect(kill(pid, 0) == 0 && reader != nil)
        reader = nil
        #expect(kill(pid, 0) != 0)
    }
}
