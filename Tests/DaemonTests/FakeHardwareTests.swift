import Foundation
import JobAPI
import JobClient
import Synchronization
import Testing
import Units

/// The daemon on a machine that has RAPL, presented by a directory.
@Suite(.serialized) struct FakeHardwareTests {
    @Test func joulesOfACounterAreMeasuredAndAddUp() async throws {
        let zone = "/sys/class/powercap/intel-rapl:0"
        let counter = RisingCounter()
        defer { counter.stop() }
        try await RunningDaemon.with(
            arguments: ["--sysfs", "{}/sys"],
            prepare: { directory in
                try FileManager.default.createDirectory(
                    atPath: directory + zone, withIntermediateDirectories: true)
                try "package-0\n".write(toFile: directory + zone + "/name", atomically: true, encoding: .utf8)
                try "262143328850\n".write(
                    toFile: directory + zone + "/max_energy_range_uj", atomically: true, encoding: .utf8)
                // Before the daemon starts: a counter that stands still for half a minute is taken out of use.
                try counter.start(path: directory + zone + "/energy_uj")
            }
        ) { daemon in
            let devices = try await daemon.client { try await $0.devices() }
            #expect(devices.meters.contains { $0.domain == "package-0" && $0.tier == .measured })
            let id = try await daemon.submit(["sh", "-c", "while [ ! -e go ]; do :; done"])
            _ = try await daemon.reaches(id) { $0.state == .running }
            try await Task.sleep(for: .seconds(2))
            try daemon.touch("go")
            _ = try await daemon.ended(id)
            let report = try await daemon.client { try await $0.report() }
            // Nothing but whole steps of the counter, and never more than it counted.
            #expect(report.balance.meteredUj > 0)
            #expect(report.balance.meteredUj <= counter.stop())
            #expect(report.balance.meteredUj % 2_000_000 == 0)
            #expect(report.balance.residualUj == 0)
            let row = try #require(report.rows.first)
            #expect(row.figures.tier == .measured)
            #expect(row.figures.energyJ > 0)
            #expect(row.figures.energyJ <= Double(report.balance.meteredUj) / 1e6)
        }
    }
}

/// A counter that rises by 2 J ten times a second, on a thread of its own: tests that block must not hold it up.
private final class RisingCounter: Sendable {
    private let state = Mutex((steps: Int64(0), isStopped: false))

    func start(path: String) throws {
        try "1000000\n".write(toFile: path, atomically: true, encoding: .utf8)
        Thread.detachNewThread { [self] in
            while true {
                let steps = state.withLock { state in
                    state.steps += 1
                    return state.isStopped ? nil : state.steps
                }
                guard let steps else { return }
                // A write that fails leaves the counter where it is, which the test shows.
                try? "\(1_000_000 + steps * 2_000_000)\n".write(toFile: path, atomically: true, encoding: .utf8)
                Thread.sleep(forTimeInterval: 0.1)
            }
        }
    }

    /// - Returns: by how many microjoules it rose at most.
    @discardableResult
    func stop() -> Int64 {
        state.withLock { state in
            state.isStopped = true
            return state.steps * 2_000_000
        }
    }
}
