import Foundation
import JobAPI
import JobClient
import Testing
import Units

/// The power cap through the whole of the daemon.
@Suite struct PowerCapTests {
    private let untilGo = ["sh", "-c", "while [ ! -e go ]; do sleep 0.05; done"]

    private func cap(_ watts: Double, idle: Double = 40) -> String {
        "[machine]\npower-cap = \"\(watts) W\"\nidle-power = \"\(idle) W\"\n"
    }

    @Test func whatIsExpectedToBeTooMuchWaitsOrIsRefused() async throws {
        try await RunningDaemon.with(policy: cap(1000)) { daemon in
            func power() async throws -> DeviceReport.Power {
                try #require(try await daemon.client { try await $0.devices() }.power)
            }
            let idle = try await power()
            #expect(idle.capW == 1000 && idle.idleW == 40 && idle.predictedW == 40)
            // No meter here: a table's figure is no reading.
            let first = try await daemon.submit(untilGo)
            _ = try await daemon.reaches(first) { $0.state == .running }
            let one = try await power().predictedW - 40
            #expect(one > 0)
            // Room for one and a half.
            try daemon.write(policy: cap(40 + 1.5 * one))
            #expect(try daemon.mlctl("policy", "reload").status == 0)
            let second = try await daemon.submit(["true"])
            let why = try daemon.mlctl("why", "\(second)")
            #expect(
                why.out.contains("machine.power-cap is") && why.out.contains("/10.toml:2): 40 W idle and"), "\(why)")
            let devices = try daemon.mlctl("devices")
            #expect(devices.out.contains("power cap ") && devices.out.contains("40 W of them idle"), "\(devices)")
            // As much is expected of what a restarted daemon finds running.
            await daemon.crash()
            try await daemon.start()
            #expect(abs(try await power().predictedW - 40 - one) < 0.01)
            #expect(try daemon.mlctl("why", "\(second)").out.contains("machine.power-cap is"))
            try daemon.touch("go")
            #expect(try await daemon.ended(second).job.state == .succeeded)
            // Alone it is too much: refused with what would pass.
            try daemon.write(policy: cap(40 + 0.5 * one))
            #expect(try daemon.mlctl("policy", "reload").status == 0)
            do {
                _ = try await daemon.submit(["true"])
                Issue.record("it can never start")
            } catch {
                #expect(
                    "\(error)".contains("is expected to draw up to") && "\(error)".contains("10.toml:2)"), "\(error)")
            }
        }
    }

    /// A package that draws 20 W whatever is done, and a cap of 15 W: each step against it takes ten seconds.
    private func tooMuch(_ body: (RunningDaemon, _ policy: String, JobID) async throws -> Void) async throws {
        let counter = RisingCounter()
        defer { counter.stop() }
        let policy = cap(15, idle: 1) + "power-limit-floor = { cpu = \"14.5 W\" }\n"
        try await RunningDaemon.with(
            arguments: ["--sysfs", "{}/sys"],
            prepare: {
                try counter.start(below: $0 + "/sys")
                try Self.setLimit("40000000\n", below: $0)
                try FileManager.default.createDirectory(atPath: $0 + "/policies", withIntermediateDirectories: true)
                try Data(policy.utf8).write(to: URL(fileURLWithPath: $0 + "/policies/10.toml"))
            }
        ) { daemon in
            let job = try await daemon.submit(untilGo) { $0.schedule.interruptible = true }
            _ = try await daemon.reaches(job) { $0.state == .running }
            try await Self.reaches("15000000", daemon)
            #expect(daemon.log.contains("is limited to 15 W"))
            let power = try #require(try await daemon.client { try await $0.devices() }.power)
            #expect(power.actions == ["powercap/intel-rapl:0 is limited to 15 W"])
            try await body(daemon, policy, job)
            try daemon.touch("go")
        }
    }

    /// Its limit is lowered, then the job is suspended; what a killed daemon leaves is undone by the next one.
    @Test func whatIsDrawnBeyondItIsHeldDown() async throws {
        try await tooMuch { daemon, _, job in
            // Killed, it leaves its limit; the next one undoes it, and finds out for itself.
            await daemon.crash()
            #expect(try Self.limit(daemon) == "15000000")
            try await daemon.start()
            #expect(daemon.log.contains("power limits that an earlier mld set are undone"))
            try await Self.reaches("15000000", daemon)
            let stopped = try await daemon.reaches(job) { $0.state == .suspended }
            let cause =
                "suspended: the machine draws more than machine.power-cap, 15 W (\(daemon.directory)/policies/10.toml:2)"
            #expect(stopped.transitions.last?.cause == cause)
            #expect(try daemon.mlctl("why", "\(job)").out.contains(cause))
            // Without a cap nothing holds it.
            try daemon.write(policy: "")
            #expect(try daemon.mlctl("policy", "reload").status == 0)
            _ = try await daemon.reaches(job) { $0.state == .running }
            try await Self.reaches("40000000", daemon)
        }
    }

    /// A cap that is gone and comes again holds as it did; when the daemon stops all is undone.
    @Test func itIsUndoneWhenTheDaemonStops() async throws {
        try await tooMuch { daemon, policy, _ in
            try daemon.write(policy: "")
            #expect(try daemon.mlctl("policy", "reload").status == 0)
            try await Self.reaches("40000000", daemon)
            try daemon.write(policy: policy)
            #expect(try daemon.mlctl("policy", "reload").status == 0)
            try await Self.reaches("15000000", daemon)
            await daemon.stop()
            #expect(try Self.limit(daemon) == "40000000")
            #expect(!FileManager.default.fileExists(atPath: daemon.state + "/power-limits.json"))
            try await daemon.start()
        }
    }

    private static func file(below directory: String) -> String {
        directory + "/sys/class/powercap/intel-rapl:0/constraint_0_power_limit_uw"
    }

    private static func setLimit(_ text: String, below directory: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file(below: directory)))
    }

    private static func limit(_ daemon: RunningDaemon) throws -> String {
        try String(contentsOfFile: file(below: daemon.directory), encoding: .utf8)
    }

    private static func reaches(_ text: String, _ daemon: RunningDaemon) async throws {
        for _ in 0..<600 {
            if try limit(daemon) == text { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("the limit is \(try limit(daemon)), not \(text):\n\(daemon.log)")
    }
}
