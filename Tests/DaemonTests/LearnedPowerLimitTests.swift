import Foundation
import GRDB
import JobAPI
import JobClient
import Testing
import Units

@testable import Ledger

/// A power limit that a job's own history chooses, from the ledger to the hardware and back.
@Suite(.serialized) struct LearnedPowerLimitTests {
    private let untilGo = ["sh", "-c", "while [ ! -e go ]; do sleep 0.05; done"]

    private func spec(_ work: String) -> JobSpec {
        JobSpec(
            resources: .init(cpus: 1, memory: .mebibytes(64)), sandbox: .init(workdir: work),
            command: .init(argv: untilGo))
    }

    /// Three runs each at these limits (0 for none), of so many seconds, that drew so many joules.
    private func fill(
        _ path: String, _ work: String, _ runs: [(watts: Double, seconds: Double, joules: Double)]
    ) async throws {
        let ledger = try Ledger(path: path)
        let host = try await ledger.host(name: "h", cpuModel: "c", cpus: 2, memory: .gibibytes(1))
        var at = Timestamp.now().advanced(by: .seconds(-86_400))
        try await ledger.keepPolicy(hash: "p", text: "", at: at)
        for run in runs {
            for _ in 0..<3 {
                let id = try await ledger.accept(
                    NewJob(
                        spec: spec(work), user: "someone", uid: geteuid(), gid: getegid(), project: "default",
                        queue: "batch", priority: 1, timeLimit: nil, held: false, reason: "", rule: nil,
                        policyHash: "p", submittedAt: at))
                _ = try await ledger.beginAttempt(id, bootID: "b", at: at)
                try await ledger.recordProcess(
                    id, attempt: 1, pid: 1, startTime: 1, cgroup: nil, enforced: [], at: at)
                if run.watts > 0 {
                    try await ledger.notePowerLimit(id, attempt: 1, milliwatts: Int64(run.watts * 1000))
                }
                let end = at.advanced(by: .seconds(run.seconds))
                let energy = Energy(joules: run.joules)
                let span = SpanDelta(
                    account: .job(id, attempt: 1), active: energy, reservedIdle: .zero, low: energy, high: energy,
                    carbon: .zero, carbonLow: .zero, carbonHigh: .zero, activeCarbon: .zero, tier: .measured)
                try await ledger.add(
                    [
                        MeteredInterval(
                            domain: "package-0", kind: "cpu", source: "test", start: at, end: end, metered: energy,
                            low: energy, high: energy, isGap: false, tier: .measured, spans: [span])
                    ], host: host)
                try await ledger.transition(id, to: .succeeded, cause: "test", at: end)
                at = end.advanced(by: .seconds(60))
            }
        }
        try ledger.close()
    }

    private func file(_ directory: String) -> String {
        directory + "/sys/class/powercap/intel-rapl:0/constraint_0_power_limit_uw"
    }

    private func limit(_ daemon: RunningDaemon) throws -> String {
        try String(contentsOfFile: file(daemon.directory), encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// As later jobs learn of it.
    private func notedLimit(of id: JobID, _ daemon: RunningDaemon) async throws -> Int64? {
        let queue = try DatabaseQueue(path: daemon.state + "/ledger.db")
        let noted = try await queue.read { db in
            try Int64.fetchOne(
                db, sql: "SELECT power_limit_mw FROM attempts WHERE job_id = ?", arguments: [id.number])
        }
        try queue.close()
        return noted
    }

    /// A daemon that begins with a ledger in which these runs are.
    private func with(
        _ runs: [(watts: Double, seconds: Double, joules: Double)], _ body: (RunningDaemon) async throws -> Void
    ) async throws {
        let policy = "[queue.batch]\ndefault = true\npower-limit = \"from-history\"\n"
        try await RunningDaemon.with(
            arguments: ["--sysfs", "{}/sys"],
            prepare: {
                _ = try RisingCounter.makePackage(below: $0 + "/sys")
                try Data("40000000\n".utf8).write(to: URL(fileURLWithPath: file($0)))
                try FileManager.default.createDirectory(atPath: $0 + "/policies", withIntermediateDirectories: true)
                try Data(policy.utf8).write(to: URL(fileURLWithPath: $0 + "/policies/10.toml"))
            }
        ) { daemon in
            await daemon.stop()
            try await fill(daemon.state + "/ledger.db", daemon.work, runs)
            try await daemon.start()
            try await body(daemon)
        }
    }

    /// Under 25 W its likes ran 4 % longer for a third of the energy less, under 15 W twice as long.
    @Test func theLowestLimitThatHardlySlowsIsSetAndTakenBack() async throws {
        try await with([(0, 100, 3000), (25, 104, 2000), (15, 200, 1800)]) { daemon in
            let id = try await daemon.submit(untilGo)
            let running = try await daemon.reaches(id) { $0.state == .running }
            #expect(try limit(daemon) == "25000000")
            let words =
                "power: 25 W by powercap/intel-rapl:0; 3 of its likes under 25 W ran 4 % longer and took 1000 J less each than "
                + "those without a limit (queue.batch.power-limit, \(daemon.directory)/policies/10.toml:3)"
            #expect(running.enforced.contains(words), "\(running.enforced)")
            #expect(try await notedLimit(of: id, daemon) == 25_000)
            // A new daemon holds it to the same; but for a moment it was not.
            await daemon.crash()
            try await daemon.start()
            for _ in 0..<200 where try limit(daemon) != "25000000" { try await Task.sleep(for: .milliseconds(50)) }
            #expect(try limit(daemon) == "25000000")
            try daemon.touch("go")
            #expect(try await daemon.ended(id).job.state == .succeeded)
            for _ in 0..<200 where try limit(daemon) != "40000000" { try await Task.sleep(for: .milliseconds(50)) }
            #expect(try limit(daemon) == "40000000")
            await daemon.stop()
            #expect(try limit(daemon) == "40000000")
            #expect(try await notedLimit(of: id, daemon) == -1)
            try await daemon.start()
        }
    }

    @Test func whereEachLimitCostsTimeNoneIsSet() async throws {
        try await with([(0, 100, 3000), (25, 110, 2000)]) { daemon in
            let id = try await daemon.submit(untilGo)
            let running = try await daemon.reaches(id) { $0.state == .running }
            #expect(try limit(daemon) == "40000000")
            #expect(
                running.enforced.contains {
                    $0.hasPrefix("not: power limit: none by its history: under each limit its likes ran longer")
                }, "\(running.enforced)")
            try daemon.touch("go")
            #expect(try await daemon.ended(id).job.state == .succeeded)
        }
    }
}
