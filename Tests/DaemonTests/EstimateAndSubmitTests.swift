import Foundation
import JobAPI
import JobClient
import Testing
import Units

/// What is said of a job before it is submitted is what becomes of it.
@Suite(.serialized) struct EstimateAndSubmitTests {
    private func spec(_ time: Double = 600, change: (inout JobSpec) -> Void = { _ in }) -> JobSpec {
        var spec = JobSpec(
            resources: .init(cpus: 1, memory: .mebibytes(64), timeLimit: time), command: .init(argv: ["true"]))
        change(&spec)
        return spec
    }

    /// The beginning of the hour that goes on.
    private let hour = Timestamp(microseconds: Timestamp.now().microseconds / 3_600_000_000 * 3_600_000_000)

    private func at(_ hours: Int) -> Timestamp { hour.advanced(by: .seconds(hours * 3600)) }

    /// With a grid of 400 g/kWh that is clean from the fourth hour on, known to the daemon when the body begins.
    private func onAGrid(_ policy: String, _ body: (RunningDaemon) async throws -> Void) async throws {
        func prepare(_ directory: String) throws {
            let lines = (-3..<30).map { "\(at($0)),\($0 < 4 ? 400 : 100)" }
            try (["time,intensity"] + lines).joined(separator: "\n").appending("\n")
                .write(toFile: directory + "/grid.csv", atomically: true, encoding: .utf8)
            try FileManager.default.createDirectory(
                atPath: directory + "/policies", withIntermediateDirectories: true)
            let text = "[site]\nzone = \"DE\"\n[carbon]\nsource = { file = \"\(directory)/grid.csv\" }\n" + policy
            try text.write(toFile: directory + "/policies/10.toml", atomically: true, encoding: .utf8)
        }
        try await RunningDaemon.with(prepare: prepare) { daemon in
            var devices = try await daemon.client { try await $0.devices() }
            for _ in 0..<200 where devices.carbonIntensityGPerKwh != 400 {
                try await Task.sleep(for: .milliseconds(50))
                devices = try await daemon.client { try await $0.devices() }
            }
            try #require(devices.carbonIntensityGPerKwh == 400)
            try await body(daemon)
        }
    }

    /// Asks for an estimate, then submits the same.
    private func both(
        _ daemon: RunningDaemon, _ spec: JobSpec
    ) async throws -> (estimate: Estimate, submitted: Submitted, why: Explanation) {
        var spec = spec
        spec.sandbox.workdir = daemon.work
        let job = spec
        let estimate = try await daemon.client { try await $0.estimate(job) }
        let submitted = try await daemon.client { try await $0.submit(job) }
        let why = try await daemon.client { try await $0.why(submitted.id) }
        #expect(estimate.admission.reason == "accepted; " + submitted.reason, "\(estimate)")
        #expect(estimate.admission.rule == why.rule && estimate.expectedStart == why.expectedStart, "\(why)")
        return (estimate, submitted, why)
    }

    @Test func aDeferredJobIsSaidToStartWhenItWill() async throws {
        try await onAGrid("[queue.batch]\ndefault = true\ndefer = { up-to = \"24 h\" }\n") { daemon in
            let (estimate, submitted, _) = try await both(daemon, spec())
            #expect(submitted.reason.hasPrefix("deferred until \(at(4))"), "\(submitted)")
            #expect(estimate.expectedStart == at(4) && estimate.admission.rule?.contains("10.toml:7") == true)
            // To be compared: at once, and when it will.
            #expect(estimate.now?.at ?? at(4) < at(2) && estimate.greenest?.at == at(4))
            let shown = try daemon.mlctl("estimate", "--time", "10 min", "--memory", "64 MiB", "--", "true")
            #expect(shown.out.contains("accepted; deferred until \(at(4))"), "\(shown)")
            #expect(shown.out.contains("would start  \(at(4))"), "\(shown)")
            // A deadline is one, as it is of a submission.
            let due = try daemon.mlctl("estimate", "--time", "10 min", "--by", "20 min", "--", "true")
            #expect(due.out.contains("admission    accepted\n"), "\(due)")
            let late = try daemon.mlctl("estimate", "--time", "10 min", "--by", "5 min", "--", "true")
            #expect(late.status == 1 && late.out.contains("would miss the deadline"), "\(late)")
        }
    }

    @Test func aDirtyGridKeepsWhatAQueueOrARuleStops() async throws {
        let policy = """
            [queue.batch]
            default = true
            defer = { suspend-above = "300 g/kWh" }
            [[rule]]
            name = "dirty"
            match = { project = "nlp", intensity-above = "300 g/kWh" }
            then = "hold"
            """
        try await onAGrid(policy) { daemon in
            let held = try await both(daemon, spec { $0.project = "nlp" })
            #expect(held.estimate.admission.reason.contains("held by rule \"dirty\" ("), "\(held)")
            #expect(held.estimate.admission.rule?.contains("10.toml:8") == true)
            #expect(held.estimate.expectedStart == nil && held.why.state == .queued)
            #expect(held.estimate.notes.contains { $0.hasPrefix("nobody can tell when it starts: what keeps it") })
            let soft = try await both(daemon, spec { $0.schedule.interruptible = true })
            #expect(soft.estimate.admission.reason.contains("suspended while above 300 g/kWh"), "\(soft)")
            #expect(soft.estimate.admission.rule?.contains("10.toml:7") == true && soft.why.state == .queued)
            let free = try await daemon.client { try await $0.estimate(spec()) }
            #expect(free.admission.reason == "accepted" && free.expectedStart != nil, "\(free)")
        }
    }

    /// And the grant that `why` proposes is enough, as it is written.
    @Test func aSpentBudgetIsSaidAndWhatHelps() async throws {
        let policy = "[budget.nlp]\nenergy = \"1 J/year\"\n"
        try await RunningDaemon.with(policy: policy) { daemon in
            let burn = ["sh", "-c", "end=$(($(date +%s) + 3)); while [ $(date +%s) -lt $end ]; do :; done"]
            let first = try await daemon.submit(burn) { $0.project = "nlp" }
            #expect(try await daemon.ended(first).job.state == .succeeded)
            // What was used is read now and then.
            for _ in 0..<100 {
                if try daemon.mlctl("budget").out.contains(" spent ") { break }
                try await Task.sleep(for: .milliseconds(100))
            }
            let (estimate, submitted, why) = try await both(daemon, spec { $0.project = "nlp" })
            #expect(estimate.admission.reason.contains("budget \"nlp\" has spent"), "\(estimate)")
            #expect(estimate.admission.rule?.contains("10.toml:2") == true)
            let year = try #require(estimate.expectedStart).description
            #expect(year.hasSuffix("-01-01T00:00:00Z") && why.reason.contains("wait until \(year)"), "\(why)")
            let hint = try #require(why.hint)
            #expect(hint.hasPrefix("nothing is left; with mlctl budget grant nlp \""), "\(hint)")
            #expect(hint.hasSuffix("\" it would start now") && estimate.admission.hint == hint, "\(hint)")
            let amount = String(hint.split(separator: "\"")[1])
            let granted = try daemon.mlctl("budget", "grant", "nlp", amount)
            #expect(granted.status == 0, "\(granted)")
            #expect(try await daemon.ended(submitted.id).job.state == .succeeded)
        }
    }

    @Test func eachThatWaitsIsToldWhenAndShowsNoLaterBaseline() async throws {
        try await RunningDaemon.with { daemon in
            let machine = try await daemon.client { try await $0.devices() }
            let cpus = try #require(machine.devices.first.flatMap { Int($0.capacity.prefix { $0.isNumber }) })
            func submit(_ argv: [String], _ time: Double) async throws -> JobID {
                try await daemon.submit(argv) {
                    $0.resources.cpus = cpus
                    $0.resources.timeLimit = time
                }
            }
            let holder = try await submit(["sleep", "600"], 900)
            let began = try #require(try await daemon.reaches(holder) { $0.state == .running }.job.startedAt)
            let waits = [try await submit(["sleep", "2"], 300), try await submit(["true"], 60)]
            for (id, seconds) in zip(waits, [900.0, 1200]) {
                let why = try await daemon.client { try await $0.why(id) }
                let start = try #require(why.expectedStart).since(began).seconds
                #expect(abs(start - seconds) < 10 && why.ahead == (id == waits[0] ? 0 : 1), "\(why)")
            }
            let shown = try daemon.mlctl("why", "\(waits[1])")
            #expect(shown.out.contains("an estimate: 1 job before it\n"), "\(shown)")
            // What it waited for ends long before: run at once it would have begun no later.
            _ = try await daemon.client { try await $0.cancel(holder) }
            let running = try await daemon.reaches(waits[0]) { $0.startedAt != nil }
            let start = try #require(running.job.startedAt)
            #expect(try #require(running.savings).baselineStart <= start, "\(running)")
            let ended = try await daemon.ended(waits[0])
            #expect(try #require(ended.savings).baselineStart <= start, "\(ended)")
            #expect(try await daemon.ended(waits[1]).job.state == .succeeded)
        }
    }
}
