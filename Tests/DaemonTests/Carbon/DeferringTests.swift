import Foundation
import GRDB
import JobAPI
import JobClient
import Testing
import Units

/// Jobs that wait for a better hour, here minutes of a file.
@Suite struct DeferringTests {
    private static let minute: Int64 = 60_000_000

    /// The beginning of the first minute that leaves so many seconds before it.
    private static func border(after seconds: Int64) -> Timestamp {
        let next = (Timestamp.now().microseconds + seconds * 1_000_000) / minute + 1
        return Timestamp(microseconds: next * minute)
    }

    /// Writes figures for each minute, the first ones holding before the border.
    private static func write(_ values: [(minutes: ClosedRange<Int>, value: Int)], _ border: Timestamp, _ path: String)
        throws
    {
        var lines = ["time,intensity"]
        for (minutes, value) in values {
            for offset in minutes { lines.append("\(border.advanced(by: .seconds(offset * 60))),\(value)") }
        }
        try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
    }

    private static func prepare(_ values: [(minutes: ClosedRange<Int>, value: Int)], _ border: Timestamp)
        -> (String) throws -> Void
    {
        { directory in
            try write(values, border, directory + "/grid.csv")
            try FileManager.default.createDirectory(atPath: directory + "/policies", withIntermediateDirectories: true)
            let policy = """
                [site]
                zone = "DE"
                [carbon]
                source = { file = "\(directory)/grid.csv" }
                [queue.now]
                [queue.batch]
                default = true
                defer = { up-to = "10 min" }
                """
            try policy.write(toFile: directory + "/policies/10.toml", atomically: true, encoding: .utf8)
        }
    }

    /// Waits for what a minute brings.
    private func reaches(
        _ id: JobID, _ daemon: RunningDaemon, _ condition: (JobRecord) -> Bool
    ) async throws -> JobDetail {
        for _ in 0..<2400 {
            let detail = try await daemon.client { try await $0.job(id) }
            if condition(detail.job) { return detail }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw RunningDaemon.Failure("job \(id) did not get there:\n\(daemon.log)")
    }

    private func submit(
        _ daemon: RunningDaemon, _ argv: [String], limit: Double?, change: (inout JobSpec) -> Void = { _ in }
    ) async throws -> JobID {
        try await daemon.submit(argv) {
            $0.resources.timeLimit = limit
            change(&$0)
        }
    }

    @Test func jobsStartWhereTheGridIsCleanAlsoAfterARestart() async throws {
        let border = Self.border(after: 30)
        let values = [(-60...(-1), 400), (0...1, 100), (2...30, 500)].map { (minutes: $0.0, value: $0.1) }
        try await RunningDaemon.with(prepare: Self.prepare(values, border)) { daemon in
            let meanwhile = try await submit(daemon, ["true"], limit: 30) { $0.queue = "now" }
            #expect(try await daemon.ended(meanwhile).job.state == .succeeded)
            let waits = try await submit(daemon, ["true"], limit: 60)
            // Due before it gets better: it starts at once, as one of which nobody knows how long it runs does.
            let due = border.advanced(by: .seconds(2))
            let urgent = try await submit(daemon, ["true"], limit: 5) { $0.schedule.deadline = due }
            let state = try await daemon.client { try await $0.why(urgent) }
            #expect(!state.reason.contains("deferred"), "\(state)")
            #expect(try await daemon.ended(urgent).job.state == .succeeded)
            let endless = try await submit(daemon, ["true"], limit: nil)
            #expect(try await daemon.ended(endless).job.state == .succeeded)

            let why = try await daemon.client { try await $0.why(waits) }
            #expect(
                why.reason.hasPrefix(
                    "deferred until \(border): grid expected at 100 g/kWh then, ")
                    && why.reason.contains(" g/kWh now; by queue.batch.defer.up-to"), "\(why)")
            #expect(why.rule?.hasSuffix("10.toml:8)") == true, "\(why)")
            let listed = try daemon.mlctl("list")
            #expect(listed.out.contains("deferred until"), "\(listed.out)")
            await daemon.crash()
            try await daemon.start()
            let again = try await daemon.client { try await $0.job(waits) }.job
            #expect(again.state == .queued && again.reason.hasPrefix("deferred until \(border)"), "\(again.reason)")

            let ended = try await reaches(waits, daemon) { $0.state.isFinal }.job
            #expect(ended.state == .succeeded)
            #expect(try #require(ended.startedAt) >= border)

            // What is drawn has the price of its minute.
            var devices = try await daemon.client { try await $0.devices() }
            for _ in 0..<100 where devices.carbonIntensityGPerKwh != 100 {
                try await Task.sleep(for: .milliseconds(50))
                devices = try await daemon.client { try await $0.devices() }
            }
            #expect(devices.carbonIntensityGPerKwh == 100, "\(devices.carbonSource)")
            #expect(try await daemon.client { try await $0.carbon() }.signals.first?.value == 100)
            let audit = try daemon.mlctl("report", "--audit")
            #expect(audit.status == 0, "\(audit)")
            await daemon.stop()
            let queue = try DatabaseQueue(path: daemon.state + "/ledger.db")
            let rows = try await queue.read { db in
                try Row.fetchAll(db, sql: "SELECT from_us, g_per_kwh, source FROM intensities ORDER BY from_us").map {
                    (
                        from: Timestamp(microseconds: $0["from_us"]), value: $0["g_per_kwh"] as Double,
                        source: $0["source"] as String
                    )
                }
            }
            #expect(rows.first?.value == 400 && rows.last?.value == 100, "\(rows)")
            #expect(rows.last.map { $0.from >= border } == true)
            #expect(rows.allSatisfy { $0.source.contains("/grid.csv, ") }, "\(rows)")
            try queue.close()
        }
    }

    @Test func oneThatMayBeSuspendedStandsStillThroughDirtyMinutes() async throws {
        let border = Self.border(after: 40)
        // Going on costs nothing where the grid is clean.
        // Two minutes: what is done in them takes a busy machine more than one.
        let values = [(-60...(-1), 0), (0...1, 900), (2...30, 0)].map { (minutes: $0.0, value: $0.1) }
        try await RunningDaemon.with(prepare: Self.prepare(values, border)) { daemon in
            let wait = ["sh", "-c", "while [ ! -e go ]; do sleep 0.1; done"]
            func interruptible(_ spec: inout JobSpec) {
                spec.schedule.interruptible = true
                spec.schedule.deadline = border.advanced(by: .seconds(600))
            }
            let planned = try await submit(daemon, wait, limit: 240, change: interruptible)
            let own = try await submit(daemon, wait, limit: 240, change: interruptible)
            for id in [planned, own] { _ = try await daemon.reaches(id) { $0.state == .running } }

            let end = border.advanced(by: .seconds(120))
            for id in [planned, own] {
                let detail = try await reaches(id, daemon) { $0.state == .suspended }
                #expect(Timestamp.now() >= border)
                let cause = try #require(detail.transitions.last?.cause)
                #expect(
                    cause.hasPrefix(
                        "suspended by the plan until \(end): grid expected at 0 g/kWh then, ")
                        && cause.contains(" g/kWh now; deadline \(border.advanced(by: .seconds(600)))"), "\(cause)")
                let why = try await daemon.client { try await $0.why(id) }
                #expect(why.state == .suspended && why.reason.hasPrefix("suspended until \(end)"), "\(why)")
            }
            // A new daemon knows whose suspension it is.
            await daemon.crash()
            try await daemon.start()
            for id in [planned, own] {
                #expect(try await daemon.client { try await $0.job(id) }.job.state == .suspended)
            }
            // Its CPUs are others', until its owner wants it to go on: then the plan leaves it alone.
            let other = try await submit(daemon, ["true"], limit: 5) { $0.queue = "now" }
            #expect(try await daemon.ended(other).job.state == .succeeded)
            #expect(try await daemon.client { try await $0.act(.resume, on: own) }.state == .running)
            #expect(try await daemon.client { try await $0.job(planned) }.job.state == .suspended)

            let resumed = try await reaches(planned, daemon) { $0.state == .running }
            #expect(Timestamp.now() >= end)
            #expect(resumed.transitions.last?.cause == "resumed by the plan: its time has come")
            try daemon.touch("go")
            for id in [planned, own] { #expect(try await daemon.ended(id).job.state == .succeeded) }
            let audit = try daemon.mlctl("report", "--audit")
            #expect(audit.status == 0, "\(audit)")
        }
    }

    @Test func aDeadlineThatCannotBeMetIsRefused() async throws {
        try await RunningDaemon.with { daemon in
            let soon = Timestamp.now().advanced(by: .seconds(600))
            await #expect {
                _ = try await submit(daemon, ["true"], limit: 3600) { $0.schedule.deadline = soon }
            } throws: { "\($0)".contains("would miss the deadline") }
            let refused = try daemon.mlctl("run", "--by", "10 min", "--time", "1 h", "--", "true")
            #expect(refused.status == 1 && refused.err.contains("state a time limit of at most 9 min"), "\(refused)")
            let run = try daemon.mlctl("run", "--by", "10 min", "--time", "1 min", "--interruptible", "--", "true")
            #expect(run.status == 0, "\(run)")
        }
    }
}
