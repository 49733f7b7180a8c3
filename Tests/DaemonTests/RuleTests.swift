import Foundation
import JobAPI
import JobClient
import Testing
import Units

/// Rules, limits and reservations through the whole of the daemon.
@Suite(.serialized) struct RuleTests {
    /// All hours but the one before this, so that it does not end while a test runs.
    private let now: String = {
        let hour = Int(Timestamp.now().microseconds / 3_600_000_000 % 24)
        return "\(hour)-\((hour + 23) % 24)"
    }()

    private func rule(_ then: String, _ name: String = "now") -> String {
        "[[rule]]\nname = \"\(name)\"\nmatch = { hour = \"\(now)\" }\nthen = \(then)\n"
    }

    private let untilGo = ["sh", "-c", "while [ ! -e go ]; do sleep 0.05; done"]

    private func reload(_ daemon: RunningDaemon, _ policy: String) throws {
        try daemon.write(policy: policy)
        let result = try daemon.mlctl("policy", "reload")
        #expect(result.status == 0, "\(result)")
    }

    @Test func aJobThatWasTakenWaitsForLaterHours() async throws {
        try await RunningDaemon.with(policy: "[limits]\nmax-running-per-user = 1\n") { daemon in
            let first = try await daemon.submit(untilGo)
            _ = try await daemon.reaches(first) { $0.state == .running }
            let second = try await daemon.submit(["true"])
            try reload(daemon, rule("\"hold\""))
            try daemon.touch("go")
            #expect(try await daemon.ended(first).job.state == .succeeded)
            let why = try daemon.mlctl("why", "\(second)")
            #expect(why.out.contains("held by rule \"now\" (") && why.out.contains("/10.toml:1)"), "\(why)")
            // A restarted daemon holds it too.
            await daemon.stop()
            try await daemon.start()
            #expect(try daemon.mlctl("why", "\(second)").out.contains("held by rule \"now\""))
            try reload(daemon, "")
            #expect(try await daemon.ended(second).job.state == .succeeded)
        }
    }

    @Test func aRuleSuspendsWhatMayBeAndLetsItGoOn() async throws {
        try await RunningDaemon.with(policy: "") { daemon in
            let soft = try await daemon.submit(untilGo) {
                $0.schedule.interruptible = true
                $0.resources.timeLimit = 4
            }
            let hard = try await daemon.submit(["sh", "-c", "while [ ! -e end ]; do sleep 0.05; done"])
            _ = try await daemon.reaches(soft) { $0.state == .running }
            _ = try await daemon.reaches(hard) { $0.state == .running }
            try reload(daemon, rule("\"suspend\"\nmessage = \"not now\""))
            let stopped = try await daemon.reaches(soft) { $0.state == .suspended }
            let cause = "suspended by rule \"now\" (\(daemon.directory)/policies/10.toml:1): not now"
            #expect(stopped.transitions.last?.cause == cause)
            #expect(try daemon.mlctl("why", "\(soft)").out.contains(cause))
            // Neither a person nor a restart makes anything else of it.
            #expect(try daemon.mlctl("suspend", "\(soft)").err.contains("stands still already"))
            await daemon.crash()
            try await daemon.start()
            // Beyond its time limit: that stands still as well.
            try await Task.sleep(for: .seconds(4))
            #expect(try await daemon.client { try await $0.job(soft) }.job.state == .suspended)
            #expect(try await daemon.client { try await $0.job(hard) }.job.state == .running)
            try reload(daemon, "")
            let resumed = try await daemon.reaches(soft) { $0.state == .running }
            #expect(resumed.transitions.last?.cause == "resumed; it was " + cause)
            try daemon.touch("go")
            try daemon.touch("end")
            #expect(try await daemon.ended(soft).job.state == .succeeded)
            #expect(try await daemon.ended(hard).job.state == .succeeded)
        }
    }

    @Test func whatASuspendedJobGivesUpOthersUse() async throws {
        let all = ProcessInfo.processInfo.activeProcessorCount
        try await RunningDaemon.with(policy: "") { daemon in
            let soft = try await daemon.submit(untilGo) {
                $0.schedule.interruptible = true
                $0.resources.cpus = all
            }
            _ = try await daemon.reaches(soft) { $0.state == .running }
            try reload(daemon, rule("\"suspend\""))
            _ = try await daemon.reaches(soft) { $0.state == .suspended }
            let other = try await daemon.submit(["sh", "-c", "while [ ! -e end ]; do sleep 0.05; done"])
            _ = try await daemon.reaches(other) { $0.state == .running }
            try reload(daemon, "")
            // Its CPUs are another's: it waits for them.
            let why = try daemon.mlctl("why", "\(soft)")
            #expect(why.out.contains("it goes on when \(all) cpus are free"), "\(why)")
            try daemon.touch("end")
            #expect(try await daemon.ended(other).job.state == .succeeded)
            try daemon.touch("go")
            #expect(try await daemon.ended(soft).job.state == .succeeded)
        }
    }

    /// In user mode the daemon's own user is its admin.
    @Test func anAdminLetsAJobGoOnAgainstTheRule() async throws {
        try await RunningDaemon.with(policy: "") { daemon in
            let soft = try await daemon.submit(untilGo) { $0.schedule.interruptible = true }
            _ = try await daemon.reaches(soft) { $0.state == .running }
            try reload(daemon, rule("\"suspend\""))
            _ = try await daemon.reaches(soft) { $0.state == .suspended }
            #expect(try daemon.mlctl("resume", "\(soft)").status == 0)
            let resumed = try await daemon.reaches(soft) { $0.state == .running }
            #expect(resumed.transitions.last?.cause.contains("against the policy") == true)
            try daemon.touch("go")
            #expect(try await daemon.ended(soft).job.state == .succeeded)
        }
    }

    @Test(.enabled(if: ProcessInfo.processInfo.activeProcessorCount > 1))
    func aCapLeavesFewerCPUsWhileItHolds() async throws {
        let script =
            "while [ ! -e go ]; do grep Cpus_allowed_list /proc/self/status > cpus.new; mv cpus.new cpus; sleep 0.05; done"
        try await RunningDaemon.with(policy: "") { daemon in
            let job = try await daemon.submit(["sh", "-c", script]) { $0.resources.cpus = 2 }
            _ = try await daemon.reaches(job) { $0.state == .running }
            func allowed(_ isRight: (Int) -> Bool) async throws {
                for _ in 0..<200 {
                    let text = (try? String(contentsOfFile: daemon.work + "/cpus", encoding: .utf8)) ?? ""
                    let list = text.split(separator: ":").last?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
                    if !list.isEmpty, isRight(list.contains { "-,".contains($0) } ? 2 : 1) { return }
                    try await Task.sleep(for: .milliseconds(50))
                }
                Issue.record("the CPUs did not change")
            }
            try await allowed { $0 == 2 }
            try reload(daemon, rule("\"cap\"\ncpus = 1"))
            try await allowed { $0 == 1 }
            // A restarted daemon lifts what it finds where the rule holds no more.
            try reload(daemon, rule("\"cap\"\ncpus = 2"))
            try await allowed { $0 == 2 }
            // Also where the rule went while no daemon ran.
            try reload(daemon, rule("\"cap\"\ncpus = 1"))
            try await allowed { $0 == 1 }
            await daemon.crash()
            try daemon.write(policy: "")
            try await daemon.start()
            try await allowed { $0 == 2 }
            try daemon.touch("go")
            #expect(try await daemon.ended(job).job.state == .succeeded)
        }
    }

    @Test func aProjectsLimitsHold() async throws {
        let policy = "[limits]\nmax-running-per-project = 1\nmax-queued-per-project = 1\n"
        try await RunningDaemon.with(policy: policy) { daemon in
            let first = try await daemon.submit(untilGo) { $0.project = "nlp" }
            _ = try await daemon.reaches(first) { $0.state == .running }
            let second = try await daemon.submit(["true"]) { $0.project = "nlp" }
            let other = try await daemon.submit(["true"]) { $0.project = "vision" }
            #expect(try await daemon.ended(other).job.state == .succeeded)
            let why = try daemon.mlctl("why", "\(second)")
            #expect(
                why.out.contains("limits.max-running-per-project is 1 (")
                    && why.out.contains("10.toml:2): job \(first) runs"), "\(why)")
            do {
                _ = try await daemon.submit(["true"]) { $0.project = "nlp" }
                Issue.record("the project has as many queued as it may")
            } catch {
                #expect("\(error)".contains("limits.max-queued-per-project is 1"), "\(error)")
            }
            try daemon.touch("go")
            #expect(try await daemon.ended(second).job.state == .succeeded)
        }
    }

    @Test func aReservationKeepsItsPart() async throws {
        let all = ProcessInfo.processInfo.activeProcessorCount
        let policy = "[reservation.course]\nhour = \"\(now)\"\ncpus = \(all)\nproject = \"course\"\n"
        try await RunningDaemon.with(policy: policy) { daemon in
            let other = try await daemon.submit(["true"])
            let own = try await daemon.submit(["true"]) { $0.project = "course" }
            #expect(try await daemon.ended(own).job.state == .succeeded)
            let why = try daemon.mlctl("why", "\(other)")
            #expect(why.out.contains("reservation \"course\" (") && why.out.contains("10.toml:1) keeps"), "\(why)")
            let devices = try daemon.mlctl("devices")
            #expect(devices.out.contains("course") && devices.out.contains("now until"), "\(devices)")
            #expect(try daemon.mlctl("policy", "show").out.contains("reservation.course (next)"))
            try reload(daemon, "")
            #expect(try await daemon.ended(other).job.state == .succeeded)
        }
    }
}
