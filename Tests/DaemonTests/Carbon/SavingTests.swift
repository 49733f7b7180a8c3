import Foundation
import JobAPI
import JobClient
import Testing
import Units

/// What a job saved against running at once, through the whole of the daemon, and worked out by hand.
@Suite struct SavingTests {
    private static let pue = 1.2

    /// A grid that changes at the border, and a machine that draws 20 W.
    private func with(
        before: Double, after: Double, at border: Timestamp, policy: String,
        _ body: (RunningDaemon) async throws -> Void
    ) async throws {
        let counter = RisingCounter()
        defer { counter.stop() }
        try await RunningDaemon.with(
            arguments: ["--sysfs", "{}/sys"],
            prepare: { directory in
                try counter.start(below: directory + "/sys")
                let lines =
                    ["time,intensity"]
                    + (-10...30).map { minute in
                        "\(border.advanced(by: .seconds(minute * 60)).precise),\(minute < 0 ? before : after)"
                    }
                try (lines.joined(separator: "\n") + "\n").write(
                    toFile: directory + "/grid.csv", atomically: true, encoding: .utf8)
                try FileManager.default.createDirectory(
                    atPath: directory + "/policies", withIntermediateDirectories: true)
                let site = "[site]\nzone = \"DE\"\npue = \(Self.pue)\n"
                let carbon = "[carbon]\nsource = { file = \"\(directory)/grid.csv\" }\n"
                try (site + carbon + policy).write(
                    toFile: directory + "/policies/10.toml", atomically: true, encoding: .utf8)
            }, body)
    }

    private func burn(_ seconds: Int) -> [String] {
        ["sh", "-c", "end=$(($(date +%s) + \(seconds))); while [ $(date +%s) -lt $end ]; do :; done"]
    }

    private func ends(_ id: JobID, _ daemon: RunningDaemon) async throws -> JobDetail {
        for _ in 0..<1200 {
            let detail = try await daemon.client { try await $0.job(id) }
            if detail.job.state.isFinal { return detail }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw RunningDaemon.Failure("job \(id) did not end:\n\(daemon.log)")
    }

    /// All of it ran after the border, and at once all of it would have run before.
    private func check(_ detail: JobDetail, before: Double, after: Double, _ daemon: RunningDaemon) throws {
        let savings = try #require(detail.savings)
        let energy = detail.job.energy
        #expect(detail.job.state == .succeeded && energy.energyJ > 0.5, "\(energy)")
        let factor = energy.energyJ / 3.6e6 * Self.pue
        let saved = try #require(savings.carbonSavedG)
        let scale = factor * abs(before - after)
        // The new intensity is in force a moment after its time: what was drawn until then was priced with the old one.
        #expect(abs(energy.carbonG - factor * after) < 0.05 * scale, "\(energy)")
        #expect(abs(saved - factor * (before - after)) < 0.05 * scale, "\(savings) \(energy)")
        #expect(abs((savings.baselineCarbonG ?? 0) - energy.carbonG - saved) < 1e-6)
        let shown = try daemon.mlctl("show", "\(detail.job.id)").out
        #expect(shown.contains(saved < 0 ? "less than it caused" : "g saved"), "\(shown)")
        let report = try daemon.mlctl("report", "--job", "\(detail.job.id)", "--format", "json")
        let row = try #require(try JSON.decode(EnergyReport.self, from: Data(report.out.utf8)).rows.first)
        #expect(row.carbonSavedG == saved, "\(row)")
        #expect(try daemon.mlctl("report").out.contains("SAVED g"))
        #expect(try daemon.mlctl("report", "--audit").status == 0)
    }

    /// The plan is made of minutes: the border is at the beginning of one.
    @Test(.timeLimit(.minutes(3))) func aJobThatWasDeferredSavesWhatTheGridBecameCleaner() async throws {
        let minute: Int64 = 60_000_000
        let border = Timestamp(microseconds: ((Timestamp.now().microseconds + 15_000_000) / minute + 1) * minute)
        let policy = "[queue.batch]\ndefault = true\ndefer = { up-to = \"10 min\" }\n"
        try await with(before: 400, after: 100, at: border, policy: policy) { daemon in
            let id = try await daemon.submit(burn(3)) { $0.resources.timeLimit = 30 }
            let waits = try await daemon.client { try await $0.job(id) }
            #expect(waits.job.reason.hasPrefix("deferred until \(border)"), "\(waits.job.reason)")
            #expect(waits.savings?.carbonSavedG == nil, "it has not run")
            let detail = try await ends(id, daemon)
            #expect(try #require(detail.job.startedAt) >= border)
            try check(detail, before: 400, after: 100, daemon)
        }
    }

    /// Nobody deferred it: it had to wait for another, and the grid became dirtier meanwhile.
    @Test(.timeLimit(.minutes(2))) func oneThatCausedMoreIsChargedWithIt() async throws {
        let border = Timestamp.now().advanced(by: .seconds(12))
        let policy = "[limits]\nmax-running-per-user = 1\n"
        try await with(before: 100, after: 400, at: border, policy: policy) { daemon in
            let first = try await daemon.submit(["sh", "-c", "while [ ! -e go ]; do sleep 0.05; done"])
            _ = try await daemon.reaches(first) { $0.state == .running }
            let id = try await daemon.submit(burn(3))
            #expect(Timestamp.now().advanced(by: .seconds(5)) < border, "the machine is too slow for this test")
            for _ in 0..<600 {
                if try await daemon.client({ try await $0.devices() }).carbonIntensityGPerKwh == 400 { break }
                try await Task.sleep(for: .milliseconds(50))
            }
            try daemon.touch("go")
            try check(try await ends(id, daemon), before: 100, after: 400, daemon)
        }
    }
}
