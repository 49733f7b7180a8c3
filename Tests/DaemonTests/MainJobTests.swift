import Foundation
import GRDB
import JobAPI
import JobClient
import Testing
import Units

/// One job through the whole house. Serialized: each test starts a daemon and jobs on a machine that may have two cores.
@Suite(.serialized) struct MainJobTests {
    @Test func aCommandRunsIsMeteredAndReported() async throws {
        try await RunningDaemon.with { daemon in
            let id = try await daemon.submit([
                "sh", "-c", "echo out; echo err >&2; i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done",
            ])
            let detail = try await daemon.ended(id)
            #expect(detail.job.state == .succeeded)
            #expect(detail.job.exitStatus == 0)
            #expect(detail.transitions.map(\.to) == [.queued, .starting, .running, .succeeded])
            #expect(detail.enforced.isEmpty == false)
            #expect(try await daemon.logs(id, .stdout) == "out\n")
            #expect(try await daemon.logs(id, .stderr) == "err\n")

            let report = try await daemon.client { try await $0.report(.init(by: .job)) }
            let row = try #require(report.rows.first)
            #expect(row.key == "\(id)")
            #expect(row.figures.energyJ > 0)
            #expect(row.figures.carbonG > 0)
            #expect(row.figures.energyLowJ <= row.figures.energyJ)
            #expect(row.figures.energyHighJ >= row.figures.energyJ)
            #expect(report.balance.residualUj == 0)
            #expect(report.balance.meteredUj > 0)
        }
    }

    /// Through a restart, and then with one name changed by hand.
    @Test func theLedgerIsAuditedAndAnEditIsFound() async throws {
        try await RunningDaemon.with { daemon in
            let id = try await daemon.submit(["true"])
            _ = try await daemon.ended(id)
            let before = try await daemon.client { try await $0.audit() }
            #expect(before.findings == [])
            await daemon.stop()
            try await daemon.start()
            let sealed = try await daemon.client { try await $0.audit() }
            #expect(sealed.findings == [] && sealed.rows["jobs"] == 1 && sealed.head.count == 64)
            await daemon.stop()
            let database = try DatabaseQueue(path: daemon.state + "/ledger.db")
            try await database.write { db in try db.execute(sql: "UPDATE jobs SET user = 'eve'") }
            try database.close()
            try await daemon.start()
            let edited = try await daemon.client { try await $0.audit() }
            #expect(edited.findings.map(\.row) == ["jobs id=\(id)"])
        }
    }

    @Test func theJobsOwnStatusIsRunsStatus() async throws {
        try await RunningDaemon.with { daemon in
            let result = try daemon.mlctl("run", "--", "sh", "-c", "echo hello; exit 7")
            #expect(result.status == 7)
            #expect(result.out == "hello\n")
            let failed = try await daemon.ended(JobID(1))
            #expect(failed.job.state == .failed)
            #expect(failed.job.reason.contains("status 7"))
        }
    }

    @Test func aJobFileWithAWrongKeySubmitsNothing() async throws {
        try await RunningDaemon.with { daemon in
            let file = daemon.work + "/job.toml"
            try "[resources]\ncpuss = 1\n[command]\nargv = [\"true\"]\n".write(
                toFile: file, atomically: true, encoding: .utf8)
            let result = try daemon.mlctl("submit", "job.toml")
            #expect(result.status == 1)
            #expect(result.err.contains("job.toml:2"))
            #expect(result.err.contains("did you mean \"cpus\""))
            let jobs = try await daemon.client { try await $0.jobs() }.jobs
            #expect(jobs.isEmpty)
        }
    }

    @Test func whatCannotFitIsRefusedWithWhatWould() async throws {
        try await RunningDaemon.with { daemon in
            let error = await #expect(throws: ClientError.self) {
                try await daemon.submit(["true"]) { $0.resources.cpus = 10_000 }
            }
            guard case .refused(let refusal) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(refusal.code == .refused)
            #expect("\(refusal)".contains("10000"))
            #expect("\(refusal)".contains("the largest"))
            let jobs = try await daemon.client { try await $0.jobs() }.jobs
            #expect(jobs.isEmpty)
        }
    }

    @Test func badRequestsAreAnsweredNotObeyed() async throws {
        try await RunningDaemon.with { daemon in
            for spec in [
                JobSpec(), JobSpec(command: .init(argv: [])), JobSpec(command: .init(argv: ["a\0b"])),
                JobSpec(resources: .init(cpus: -1), command: .init(argv: ["true"])),
                JobSpec(sandbox: .init(workdir: "relative"), command: .init(argv: ["true"])),
                JobSpec(sandbox: .init(workdir: "/does/not/exist"), command: .init(argv: ["true"])),
            ] {
                let error = await #expect(throws: ClientError.self) {
                    try await daemon.client { try await $0.submit(spec) }
                }
                guard case .refused(let refusal) = error else {
                    Issue.record("\(String(describing: error))")
                    continue
                }
                #expect(refusal.code == .invalidRequest)
            }
            let missing = await #expect(throws: ClientError.self) {
                try await daemon.client { try await $0.job(JobID(99)) }
            }
            guard case .refused(let refusal) = missing else {
                Issue.record("\(String(describing: missing))")
                return
            }
            #expect(refusal.code == .notFound)
        }
    }

    @Test func aMissingProgramFailsWithThatCause() async throws {
        try await RunningDaemon.with { daemon in
            let detail = try await daemon.ended(try await daemon.submit(["/no/such/program"]))
            #expect(detail.job.state == .failed)
            #expect(detail.job.reason.contains("no/such/program"))
        }
    }

    @Test func aRunningJobIsCancelled() async throws {
        try await RunningDaemon.with { daemon in
            let id = try await daemon.submit(["sleep", "600"])
            _ = try await daemon.reaches(id) { $0.state == .running }
            let result = try daemon.mlctl("cancel", "\(id)")
            #expect(result.status == 0)
            let detail = try await daemon.ended(id)
            #expect(detail.job.state == .cancelled)
            #expect(detail.job.reason.contains("cancelled by"))
        }
    }

    @Test func theTimeLimitEndsAJob() async throws {
        try await RunningDaemon.with { daemon in
            let id = try await daemon.submit(["sleep", "600"]) { $0.resources.timeLimit = 1 }
            let detail = try await daemon.ended(id)
            #expect(detail.job.state == .timedOut)
            #expect(detail.job.reason.contains("time limit"))
        }
    }

    @Test func jobsWaitForWhatOthersHoldAndSayWhy() async throws {
        try await RunningDaemon.with { daemon in
            let devices = try await daemon.client { try await $0.devices() }
            #expect(devices.devices.contains { $0.kind == "cpu" })
            let cpus = try #require(devices.devices.first { $0.kind == "cpu" }?.capacity.split(separator: " ").first)
            let all = try #require(Int(cpus))
            let first = try await daemon.submit(["sleep", "600"]) { $0.resources.cpus = all }
            _ = try await daemon.reaches(first) { $0.state == .running }
            let second = try await daemon.submit(["true"]) { $0.resources.cpus = all }
            let why = try await daemon.client { try await $0.why(second) }
            #expect(why.state == .queued)
            #expect(why.reason.contains("cpu"))
            #expect(why.reason.contains("\(first)"))
            _ = try await daemon.client { try await $0.cancel(first) }
            #expect(try await daemon.ended(second).job.state == .succeeded)
        }
    }

    @Test func followersGetOutputAndTheEnd() async throws {
        try await RunningDaemon.with { daemon in
            let id = try await daemon.submit(["sh", "-c", "for i in 1 2 3; do echo line $i; sleep 0.3; done"])
            var text = ""
            var final: JobState?
            (text, final) = try await daemon.client { client in
                try await client.events(of: id, logs: true) { events in
                    var text = ""
                    var final: JobState?
                    for try await event in events {
                        text += event.text ?? ""
                        if event.state?.isFinal == true { final = event.state }
                    }
                    return (text, final)
                }
            }
            #expect(text == "line 1\nline 2\nline 3\n")
            #expect(final == .succeeded)
        }
    }
}
