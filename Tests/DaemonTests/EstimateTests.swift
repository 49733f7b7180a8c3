import Foundation
import JobAPI
import JobClient
import Testing
import Units

/// What is learned of jobs that ran, and what is said of those to come, through the whole of the daemon.
@Suite(.serialized) struct EstimateTests {
    private func spec(_ argv: [String], cpus: Int = 1, time: Double? = nil) -> JobSpec {
        JobSpec(
            resources: .init(cpus: cpus, memory: .mebibytes(64), timeLimit: time), command: .init(argv: argv))
    }

    /// Computes for a second and a bit.
    private func burn(_ milliseconds: Int) -> [String] {
        let end = "end=$(($(date +%s%N) + \(milliseconds)000000))"
        return ["sh", "-c", end + "; while [ $(date +%s%N) -lt $end ]; do :; done"]
    }

    /// With a meter that counts: what this machine has may stand still.
    private func metered(_ body: (RunningDaemon) async throws -> Void) async throws {
        let counter = RisingCounter()
        defer { counter.stop() }
        try await RunningDaemon.with(
            arguments: ["--sysfs", "{}/sys"], prepare: { try counter.start(below: $0 + "/sys") }, body)
    }

    @Test func whatRanIsLearnedAndKept() async throws {
        try await metered { daemon in
            func estimate(_ spec: JobSpec) async throws -> Estimate {
                try await daemon.client { try await $0.estimate(spec) }
            }
            let before = try await estimate(spec(burn(1200), time: 600))
            #expect(before.admission.accepted && before.runs == nil && before.durationS?.expected == nil)
            #expect(before.durationS?.high == 600 && before.powerW?.expected == nil && before.tier == .table)
            #expect(before.now?.carbonG?.expected == nil && before.now?.carbonG?.high ?? 0 > 0)
            #expect(before.greenest == nil && before.notes.contains { $0.contains("no forecast of the grid") })
            for _ in 0..<3 {
                let id = try await daemon.submit(burn(1200))
                #expect(try await daemon.ended(id).job.state == .succeeded)
            }
            func check(_ estimate: Estimate) {
                #expect(estimate.runs == 3 && estimate.likes?.contains("command") == true, "\(estimate)")
                #expect(estimate.durationS?.expected ?? 0 >= 1 && estimate.durationS?.expected ?? 600 < 30)
                #expect(estimate.powerW?.expected ?? 0 > 0 && estimate.powerBasis == "the same runs", "\(estimate)")
                #expect(estimate.tier == .measured)
                let range = estimate.now?.carbonG
                #expect(range?.expected ?? 0 > 0)
                #expect(range?.low ?? 1 <= range?.expected ?? 0 && range?.expected ?? 1 <= range?.high ?? 0)
            }
            check(try await estimate(spec(burn(1200))))
            // One that differs in a number, and then also in what it asks for.
            let swept = try await estimate(spec(burn(1300)))
            #expect(swept.runs == 3 && swept.likes?.contains("numbers") == true)
            #expect(try await estimate(spec(burn(1200), cpus: 2)).durationS?.expected == nil)
            await daemon.stop()
            try await daemon.start()
            check(try await estimate(spec(burn(1200))))
            // The table of people, and the same as JSON.
            let words = burn(1200)
            let shown = try daemon.mlctl("estimate", "--memory", "64 MiB", "--", words[0], words[1], words[2])
            #expect(shown.status == 0 && shown.out.contains("3 earlier runs of the same user"), "\(shown)")
            #expect(try await daemon.client { try await $0.jobs() }.jobs.count == 3, "nothing was submitted")
        }
    }

    @Test func theQueueAsItStandsCounts() async throws {
        try await RunningDaemon.with { daemon in
            let machine = try await daemon.client { try await $0.devices() }
            let cpus = try #require(machine.devices.first.flatMap { Int($0.capacity.prefix { $0.isNumber }) })
            let holder = try await daemon.submit(["sleep", "600"]) {
                $0.resources.cpus = cpus
                $0.resources.timeLimit = 900
            }
            _ = try await daemon.reaches(holder) { $0.state == .running }
            let waits = try await daemon.submit(["true"]) { $0.resources.timeLimit = 300 }
            let estimate = try await daemon.client { try await $0.estimate(spec(["true"], time: 60)) }
            let began = try #require(try await daemon.client { try await $0.job(holder) }.job.startedAt)
            let start = try #require(estimate.expectedStart).since(began).seconds
            #expect(start > 890 && start <= 1201 && estimate.ahead == 1)
            // Frozen at submission: the baseline of the one that waits is when there will be room.
            let detail = try await daemon.client { try await $0.job(waits) }
            let baseline = try #require(detail.savings).baselineStart.since(began).seconds
            #expect(baseline > 890 && baseline < 910)
            let shown = try daemon.mlctl("show", "\(waits)")
            #expect(shown.out.contains("run at once") && !shown.out.contains("saved"), "\(shown)")
        }
    }

    @Test func aYearlyMeanSavesNothingAndTheAuditIsGreen() async throws {
        try await metered { daemon in
            let id = try await daemon.submit(burn(1200))
            #expect(try await daemon.ended(id).job.state == .succeeded)
            let savings = try #require(try await daemon.client { try await $0.job(id) }.savings)
            #expect(savings.carbonSavedG == 0 && savings.baselineCarbonG ?? 0 > 0)
            let report = try daemon.mlctl("report", "--format", "json")
            #expect(report.out.contains("\"carbon_saved_g\" : 0"), "\(report)")
            let audit = try daemon.mlctl("report", "--audit")
            #expect(audit.status == 0, "\(audit)")
        }
    }

    /// The holder may run for ever, so nothing may pass the one that needs all; but in a queue that goes first, or with fewer CPUs.
    @Test func whyTellsTheSmallestChange() async throws {
        let policy = "[queue.low]\ndefault = true\npriority = 10\n[queue.high]\npriority = 100\n"
        try await RunningDaemon.with(policy: policy) { daemon in
            let machine = try await daemon.client { try await $0.devices() }
            let cpus = try #require(machine.devices.first.flatMap { Int($0.capacity.prefix { $0.isNumber }) })
            guard cpus > 1 else { return }
            let holder = try await daemon.submit(["sleep", "600"]) { $0.resources.cpus = cpus - 1 }
            _ = try await daemon.reaches(holder) { $0.state == .running }
            let wide = try await daemon.submit(["true"]) { $0.resources.cpus = cpus }
            let small = try await daemon.submit(["sleep", "600"])
            let first = try daemon.mlctl("why", "\(wide)")
            #expect(first.out.contains("with 1 cpu instead of \(cpus) it would start now; it is next"), "\(first)")
            let second = try daemon.mlctl("why", "\(small)")
            #expect(second.out.contains("in queue high it would start now"), "\(second)")
        }
    }

    /// Two queues that go before all others are no help: one waits for a better hour, in the other a rule holds jobs.
    @Test func whyProposesNoQueueInWhichItWouldWait() async throws {
        try await RunningDaemon.with(prepare: { directory in
            let now = Timestamp.now().microseconds / 60_000_000 * 60
            let lines = (-60...60).map { minute in
                "\(Timestamp(seconds: Double(now + Int64(minute) * 60))),\(minute < 10 ? 400 : 100)\n"
            }
            try ("time,intensity\n" + lines.joined()).write(
                toFile: directory + "/grid.csv", atomically: true, encoding: .utf8)
            let policy = """
                [site]
                zone = "DE"
                [carbon]
                source = { file = "\(directory)/grid.csv" }
                [queue.greener]
                priority = 300
                defer = { up-to = "30 min" }
                [queue.kept]
                priority = 300
                [queue.low]
                default = true
                priority = 10
                [queue.high]
                priority = 100
                [[rule]]
                name = "dirty"
                match = { queue = "kept", intensity-above = "200 g/kWh" }
                then = "hold"
                """
            try policy.write(toFile: directory + "/policies/10.toml", atomically: true, encoding: .utf8)
        }) { daemon in
            let machine = try await daemon.client { try await $0.devices() }
            let cpus = try #require(machine.devices.first.flatMap { Int($0.capacity.prefix { $0.isNumber }) })
            guard cpus > 1 else { return }
            let holder = try await daemon.submit(["sleep", "600"]) { $0.resources.cpus = cpus - 1 }
            _ = try await daemon.reaches(holder) { $0.state == .running }
            _ = try await daemon.submit(["true"]) { $0.resources.cpus = cpus }
            let small = try await daemon.submit(["true"]) { $0.resources.timeLimit = 60 }
            let why = try daemon.mlctl("why", "\(small)")
            #expect(why.out.contains("in queue high it would start now"), "\(why)")
            // Without that one all that is left is to wait for the better hour.
            let text = try String(contentsOfFile: daemon.directory + "/policies/10.toml", encoding: .utf8)
            try daemon.write(policy: text.replacing("priority = 100\n", with: "priority = 1\n"))
            #expect(try daemon.mlctl("policy", "reload").status == 0)
            let later = try daemon.mlctl("why", "\(small)")
            #expect(
                later.out.contains("in queue greener it would start at 20") && !later.out.contains("in queue kept"),
                "\(later)")
        }
    }

    @Test func whatIsRefusedIsSaidWithItsRule() async throws {
        try await RunningDaemon.with(policy: "[queue.batch]\nmax-time = \"1 h\"\ndefault = true\n") { daemon in
            let refused = try await daemon.client { try await $0.estimate(spec(["true"], time: 7200)) }
            #expect(!refused.admission.accepted && refused.admission.rule?.contains("10.toml:2") == true, "\(refused)")
            #expect(refused.energyJ == nil && refused.now == nil)
            let shown = try daemon.mlctl("estimate", "--time", "2 h", "--", "true")
            #expect(shown.status == 1 && shown.out.contains("refused: "), "\(shown)")
        }
    }
}
