import LinuxSystem
import TestSupport
import Testing
import Units

@testable import Metering

/// A driver that does not come back. Its answers come from another thread, so these tests wait for what they wish to see; what
/// never comes is ended by the time limit.
@Suite(
    .enabled(if: FakeNVML.library != nil, "a C compiler makes the library that stands in for NVIDIA's"),
    .timeLimit(.minutes(1)))
struct NVMLHangTests {
    private let card = "gpu-00000000-0000-0000-0000-000000000000"
    private let machine: FakeMachine
    private let library: FakeNVML

    init() throws {
        machine = try FakeMachine()
        library = try FakeNVML(in: machine.directory)
    }

    private func reader(startPatience: Double = 60) throws -> NVMLReader {
        var roots = machine.roots
        roots.nvml = library.path
        // Short: a busy machine makes an answer late, which is a gap, and the next is asked for.
        return try #require(NVMLReader(roots: roots, patience: 0.02, startPatience: startPatience))
    }

    private func tick() -> MeterTick {
        let now = Timestamp(seconds: 1_700_000_000)
        return MeterTick(start: now, end: now, seconds: 1)
    }

    private func sample(
        _ reader: inout NVMLReader, until isWished: (DomainSample) -> Bool
    ) async throws -> DomainSample {
        while true {
            if let sample = reader.sample(tick()).first, isWished(sample) { return sample }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    @Test func aDriverThatDoesNotAnswerIsAGapAndHoldsNobodyUp() async throws {
        try library.say("0 power 100000")
        var reader = try reader()
        reader.begin()
        #expect(try await sample(&reader) { $0.energy != nil }.energy == EnergyRange(Energy(joules: 100)))
        try library.say("0 power 100000", "0 hang 1")
        // The first of them waits, the others do not even ask. That they come back is what is tested.
        for _ in 1...50 {
            let sample = try #require(reader.sample(tick()).first)
            #expect(sample.domain == card && sample.gap == "NVML does not answer" && sample.seconds == 1)
        }
        #expect(reader.descriptions.first?.status == "NVML does not answer")
        try library.say("0 power 300000")
        // The late answer is of a moment that nobody knows, so the next one is a new beginning.
        let back = try await sample(&reader) { $0.gap != "NVML does not answer" }
        #expect(back.gap == "the sensor came back: no reading at the start of the interval")
        #expect(try await sample(&reader) { $0.energy != nil }.energy == EnergyRange(Energy(joules: 300)))
    }

    @Test func aCardThatHangsHoldsUpNoOther() async throws {
        try library.say("0 power 100000", "1 power 50000")
        var reader = try reader()
        reader.begin()
        try library.say("0 power 100000", "0 hang 1", "1 power 50000")
        var other: DomainSample?
        while other?.energy == nil {
            let samples = reader.sample(tick())
            other = samples.first { $0.domain.hasSuffix("1") }
            // Its last answer may have been on its way when it began to hang.
            try await Task.sleep(for: .milliseconds(2))
        }
        #expect(other?.energy == EnergyRange(Energy(joules: 50)))
        _ = try await sample(&reader) { $0.gap == "NVML does not answer" }
        try library.say("0 power 100000", "1 power 50000")
    }

    @Test func aLibraryThatHangsAtTheStartIsTakenUpWhenItComesBack() async throws {
        try library.say("-1 hang 1", "0 power 100000")
        var reader = try reader(startPatience: 0.02)
        reader.begin()
        #expect(reader.sample(tick()).isEmpty)
        #expect(reader.descriptions.map(\.status) == ["cannot be read: NVML does not answer"])
        try library.say("0 power 100000")
        #expect(try await sample(&reader) { $0.energy != nil }.energy == EnergyRange(Energy(joules: 100)))
        #expect(reader.descriptions.map(\.domain) == [card])
    }
}
