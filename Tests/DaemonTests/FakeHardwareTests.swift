import Foundation
import JobAPI
import JobClient
import Testing
import Units

/// The daemon on a machine that has RAPL, presented by a directory.
@Suite(.serialized) struct FakeHardwareTests {
    @Test func joulesOfACounterAreMeasuredAndAddUp() async throws {
        let counter = RisingCounter()
        defer { counter.stop() }
        // Before the daemon starts: a counter that stands still for half a minute is taken out of use.
        try await RunningDaemon.with(
            arguments: ["--sysfs", "{}/sys"], prepare: { try counter.start(below: $0 + "/sys") }
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
