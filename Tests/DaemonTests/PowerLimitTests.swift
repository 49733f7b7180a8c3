import Foundation
import JobAPI
import JobClient
import Testing
import Units

/// Power limits of single jobs, on a machine whose package can be limited.
@Suite(.serialized) struct PowerLimitTests {
    private let policy = """
        [queue.batch]
        default = true
        power-limit = "20 W"
        [queue.low]
        power-limit = "5 W"
        [queue.learning]
        power-limit = "from-history"
        """

    private func until(_ word: String) -> [String] { ["sh", "-c", "while [ ! -e \(word) ]; do sleep 0.05; done"] }

    @Test func theProcessorsAreHeldForAJobThatIsAlone() async throws {
        try await RunningDaemon.with(arguments: ["--sysfs", "{}/sys"], prepare: prepare) { daemon in
            let first = try await daemon.submit(until("one"))
            let detail = try await daemon.reaches(first) { $0.state == .running }
            #expect(try limit(daemon) == "20000000")
            let words = "power: 20 W by powercap/intel-rapl:0; by queue.batch.power-limit"
            #expect(detail.enforced.contains { $0.hasPrefix(words) }, "\(detail.enforced)")
            // Another shares the processors: neither is held, and both say so.
            let second = try await daemon.submit(until("two"))
            let beside = try await daemon.reaches(second) { $0.state == .running }
            #expect(
                beside.enforced.contains { $0.hasPrefix("not: power limit of 20 W") && $0.hasSuffix("other jobs") },
                "\(beside.enforced)")
            try await reaches("40000000", daemon)
            try daemon.touch("one")
            try daemon.touch("two")
            for id in [first, second] { #expect(try await daemon.ended(id).job.state == .succeeded) }
            // No limit below a quarter of what it was; at the end it is as it was.
            let low = try await daemon.submit(until("three")) { $0.queue = "low" }
            let floor = try await daemon.reaches(low) { $0.state == .running }
            #expect(
                floor.enforced.contains { $0.hasPrefix("power: 10 W by ") && $0.hasSuffix(", which wants 5 W") },
                "\(floor.enforced)")
            #expect(try limit(daemon) == "10000000")
            try daemon.touch("three")
            _ = try await daemon.ended(low)
            try await reaches("40000000", daemon)
            let learning = try await daemon.submit(["true"]) { $0.queue = "learning" }
            let free = try await daemon.ended(learning)
            let reason = "not: power limit: none by its history: fewer than 3 of its likes ran under any one limit"
            #expect(free.enforced.contains { $0.hasPrefix(reason) }, "\(free.enforced)")
        }
    }

    @Test func aRuleHoldsWhatRunsAlready() async throws {
        let rule = "[[rule]]\nname = \"low\"\nmatch = { kind = \"command\" }\nthen = \"cap\"\npower = \"25 W\"\n"
        try await RunningDaemon.with(arguments: ["--sysfs", "{}/sys"], prepare: prepare) { daemon in
            try daemon.write(policy: "")
            #expect(try daemon.mlctl("policy", "reload").status == 0)
            let job = try await daemon.submit(until("one"))
            _ = try await daemon.reaches(job) { $0.state == .running }
            #expect(try limit(daemon) == "40000000\n")
            try daemon.write(policy: rule)
            #expect(try daemon.mlctl("policy", "reload").status == 0)
            try await reaches("25000000", daemon)
            await daemon.crash()
            try await daemon.start()
            try await reaches("25000000", daemon)
            try daemon.write(policy: "")
            #expect(try daemon.mlctl("policy", "reload").status == 0)
            try await reaches("40000000", daemon)
            try daemon.touch("one")
            #expect(try await daemon.ended(job).job.state == .succeeded)
        }
    }

    private func prepare(_ directory: String) throws {
        _ = try RisingCounter.makePackage(below: directory + "/sys")
        try Data("40000000\n".utf8).write(to: URL(fileURLWithPath: file(below: directory)))
        try FileManager.default.createDirectory(atPath: directory + "/policies", withIntermediateDirectories: true)
        try Data(policy.utf8).write(to: URL(fileURLWithPath: directory + "/policies/10.toml"))
    }

    private func file(below directory: String) -> String {
        directory + "/sys/class/powercap/intel-rapl:0/constraint_0_power_limit_uw"
    }

    private func limit(_ daemon: RunningDaemon) throws -> String {
        try String(contentsOfFile: file(below: daemon.directory), encoding: .utf8)
    }

    private func reaches(_ text: String, _ daemon: RunningDaemon) async throws {
        for _ in 0..<300 {
            if try limit(daemon) == text { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("the limit is \(try limit(daemon)), not \(text):\n\(daemon.log)")
    }
}
