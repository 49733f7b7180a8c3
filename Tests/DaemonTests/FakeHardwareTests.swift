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
            // 25 J more on the counter while the job runs.
            try "26000000\n".write(
                toFile: daemon.directory + zone + "/energy_uj", atomically: true, encoding: .utf8)
            FileManager.default.createFile(atPath: daemon.work + "/go", contents: nil)
            _ = try await daemon.ended(id)
            let report = try await daemon.client { try await $0.report() }
            #expect(report.balance.meteredUj == 25_000_000)
            #expect(report.balance.residualUj == 0)
            let row = try #require(report.rows.first)
            #expect(row.figures.tier == .measured)
            #expect(row.figures.energyJ > 0)
            #expect(row.figures.energyJ <= 25)
        }
    }
}
