import Foundation
import JobAPI
import Ledger
import Metering
import Sandbox
import Scheduling
import TestSupport
import Testing
import Units

@testable import Daemon

/// What a card draws that two jobs have together is all somebody's, and each joule one's.
@Suite(.enabled(if: FakeNVML.library != nil, "needs a C compiler"))
struct SharedCardEnergyTests {
    private func sleeper() throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sleep")
        process.arguments = ["600"]
        // Who reads what tests write does not wait for it.
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    private func isJob(_ account: SpanAccount) -> Bool { if case .job = account { true } else { false } }

    @Test func twoJobsOnOneCardAreBilledAllOfIt() async throws {
        var made: FakeNVML?
        let card = "gpu-00000000-0000-0000-0000-000000000000"
        try await DaemonParts.with(prepare: { sysfs in
            let place = (sysfs as NSString).deletingLastPathComponent
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            made = try FakeNVML(in: place)
            try made?.say("0 energy 1000", "0 power 100000", "0 memory \(16 << 30)")
        }) { parts in
            let library = try #require(made)
            let sleepers = [try sleeper(), try sleeper()]
            defer { for sleeper in sleepers { kill(sleeper.processIdentifier, SIGKILL) } }
            for (number, part) in [(7, 0.5), (8, 0.25)] as [(Int64, Double)] {
                var job = parts.tracked(JobID(number))
                job.gpus = .init(parts: [card: part], declared: Int64(16 * part) << 30)
                job.process = Started(
                    supervisorPID: sleepers[Int(number) - 7].processIdentifier, startTime: 0, cgroupPath: nil)
                await parts.meter.begin([job])
            }
            var energy = 1000
            var found: MeteredInterval?
            for _ in 0..<400 where found == nil {
                try await Task.sleep(for: .milliseconds(20))
                energy += 2000
                let now = Timestamp.now().microseconds
                try library.say(
                    "0 energy \(energy)", "0 power 100000", "0 memory \(16 << 30)",
                    "0 compute \(sleepers[0].processIdentifier) \(8 << 30)",
                    "0 compute \(sleepers[1].processIdentifier) \(7 << 30)",
                    "0 sample \(sleepers[0].processIdentifier) \(now) 60",
                    "0 sample \(sleepers[1].processIdentifier) \(now) 20")
                try await parts.tick()
                // What is on its way to the ledger is not looked at.
                found = await parts.meter.pending.last { interval in
                    interval.domain == card && interval.spans.count { $0.active > .zero && isJob($0.account) } == 2
                }
            }
            let interval = try #require(found)
            let booked = interval.spans.reduce(Energy.zero) { $0 + $1.active + $1.reservedIdle }
            #expect(interval.metered > .zero && booked == interval.metered)
            let drawn = ([7, 8] as [Int64]).map { number in
                interval.spans.first { $0.account == .job(JobID(number), attempt: 1) }?.active.joules ?? 0
            }
            // By what each computed: 60 to 20.
            #expect(abs(drawn[0] / drawn[1] - 3) < 0.01, "\(drawn)")
            // The second holds 3 GiB more than it declared.
            let seen = await parts.meter.occupancies()
            #expect(seen[card] == .init(beyond: .gibibytes(3)), "\(seen)")
        }
    }
}
