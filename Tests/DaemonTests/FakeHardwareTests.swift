import Foundation
import JobAPI
import JobClient
import Testing
import Units

/// The daemon on a machine that has RAPL, presented by a directory.
@Suite(.serialized) struct FakeHardwareTests {
    @Test func joulesOfACounterAreMeasuredAndAddUp() async throws {
        let zone = "/sys/class/powercap/intel-rapl:0"
        try await RunningDaemon.with(
            arguments: ["--sysfs", "{}/sys"],
            prepare: { directory in
                try FileManager.default.createDirectory(
                    atPath: directory + zone, withIntermediateDirectories: true)
                try "package-0\n".write(toFile: directory + zone + "/name", atomically: true, encoding: .utf8)
                try "262143328850\n".write(
                    toFile: directory + zone + "/max_energy_range_uj", atomically: true, encoding: .utf8)
                try "1000000\n".write(toFile: directory + zone + "/energy_uj", atomically: true, encoding: .utf8)
            }
        ) { daemon in
            let devices = try await daemon.client { try await $0.devices() }
            #expect(devices.meters.contains { $0.domain == "package-0" && $0.tier == .measured })
            let id = try await daemon.submit(["sh", "-c", "while [ ! -e go ]; do :; done"])
            _ = try await daemon.reaches(id) { $0.state == .running }
            // A counter that runs at about 20 W while the job does.
            for step in 1...20 {
                try "\(1_000_000 + step * 2_000_000)\n".write(
                    toFile: daemon.directory + zone + "/energy_uj", atomically: true, encoding: .utf8)
                try await Task.sleep(for: .milliseconds(100))
            }
            try daemon.touch("go")
            _ = try await daemon.ended(id)
            let report = try await daemon.client { try await $0.report() }
            // Nothing but whole steps of the counter, and never more than it counted.
            #expect(report.balance.meteredUj > 0)
            #expect(report.balance.meteredUj <= 40_000_000)
            #expect(report.balance.meteredUj % 2_000_000 == 0)
            #expect(report.balance.residualUj == 0)
            let row = try #require(report.rows.first)
            #expect(row.figures.tier == .measured)
            #expect(row.figures.energyJ > 0)
            #expect(row.figures.energyJ <= Double(report.balance.meteredUj) / 1e6)
        }
    }
}
