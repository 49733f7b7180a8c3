import Foundation
import JobAPI
import JobClient
import Ledger
import Sandbox
import Testing
import Units

/// A daemon that died at an awkward moment, played by writing what it would have left.
@Suite(.serialized) struct RestartTests {
    private func leave(_ daemon: RunningDaemon, _ write: (Ledger, JobID) async throws -> Void) async throws -> JobID {
        let ledger = try Ledger(path: daemon.state + "/ledger.db")
        let id = try await ledger.accept(
            NewJob(
                spec: JobSpec(
                    resources: .init(cpus: 1, memory: .mebibytes(64)), sandbox: .init(workdir: daemon.work),
                    command: .init(argv: ["sh", "-c", "echo ran >> count"])), user: "someone", uid: geteuid(),
                gid: getegid(), project: "default", queue: "batch", priority: 10, timeLimit: nil, held: false,
                reason: "accepted", rule: nil, policyHash: "", submittedAt: .now()))
        try await write(ledger, id)
        try ledger.close()
        return id
    }

    private func bootID() throws -> String {
        try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test func aJobThatWasAboutToStartIsQueuedAgain() async throws {
        try await RunningDaemon.with { daemon in
            await daemon.stop()
            let id = try await leave(daemon) { ledger, id in
                _ = try await ledger.beginAttempt(id, bootID: bootID(), at: .now())
            }
            try await daemon.start()
            let detail = try await daemon.ended(id)
            #expect(detail.job.state == .succeeded)
            #expect(detail.job.attempt == 2)
            #expect(try String(contentsOfFile: daemon.work + "/count", encoding: .utf8) == "ran\n")
            #expect(detail.transitions.map(\.to) == [.queued, .starting, .queued, .starting, .running, .succeeded])
        }
    }

    @Test func aJobThatEndedBeforeItsProcessWasNotedHasEnded() async throws {
        try await RunningDaemon.with { daemon in
            await daemon.stop()
            let now = Timestamp.now()
            let id = try await leave(daemon) { ledger, id in
                _ = try await ledger.beginAttempt(id, bootID: bootID(), at: now)
                let directory = daemon.state + "/jobs/\(id)"
                try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
                let record = """
                    {"cause":"exited","exit_status":0,"signal":null,"message":null,"user_cpu_us":1,"system_cpu_us":1,\
                    "output_lost_bytes":0,"started_at_us":\(now.microseconds),"ended_at_us":\(now.microseconds + 1000)}
                    """
                try record.write(toFile: directory + "/exit-1.json", atomically: true, encoding: .utf8)
            }
            try await daemon.start()
            let detail = try await daemon.ended(id)
            #expect(detail.job.state == .succeeded)
            #expect(detail.job.attempt == 1)
            // When it ended, not when it was found out.
            #expect(detail.job.endedAt.map { abs($0.since(now).seconds - 0.001) < 0.0015 } == true)
            #expect(!FileManager.default.fileExists(atPath: daemon.work + "/count"))
        }
    }

    @Test func aJobOfAnEarlierBootIsLost() async throws {
        try await RunningDaemon.with { daemon in
            await daemon.stop()
            let id = try await leave(daemon) { ledger, id in
                _ = try await ledger.beginAttempt(id, bootID: "another-boot", at: .now())
                try await ledger.recordProcess(
                    id, attempt: 1, pid: getpid(), startTime: 1, cgroup: nil, enforced: [], at: .now())
            }
            try await daemon.start()
            let detail = try await daemon.ended(id)
            #expect(detail.job.state == .lost)
            #expect(detail.job.reason.contains("machine restarted"))
        }
    }

    /// The system's SIGTERM reached it before its supervisor.
    @Test(arguments: [(15, nil), (nil, 143), (9, nil)] as [(Int32?, Int32?)])
    func aJobThatAShutdownEndedFirstIsLost(signal: Int32?, status: Int32?) async throws {
        try await RunningDaemon.with { daemon in
            await daemon.stop()
            let id = try await leave(daemon) { ledger, id in
                _ = try await ledger.beginAttempt(id, bootID: "another-boot", at: .now())
                let directory = daemon.state + "/jobs/\(id)"
                try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
                let now = Timestamp.now().microseconds
                let record = ExitRecord(
                    cause: signal == nil ? .exited : .signalled, exitStatus: status, signal: signal, startedAt: now,
                    endedAt: now)
                try JSONEncoder().encode(record).write(to: URL(fileURLWithPath: directory + "/exit-1.json"))
            }
            try await daemon.start()
            let job = try await daemon.ended(id).job
            #expect(job.state == (signal == 9 ? .failed : .lost), "\(job.reason)")
            #expect(job.reason.contains("SIGTERM before the machine restarted") == (signal != 9))
        }
    }

    /// It may have done anything before its supervisor was killed: it is not run again as if it had never been.
    @Test func aJobWhoseSupervisorWasKilledBeforeItsProcessWasNotedIsNotRunAgain() async throws {
        try await RunningDaemon.with { daemon in
            await daemon.stop()
            let id = try await leave(daemon) { ledger, id in
                _ = try await ledger.beginAttempt(id, bootID: bootID(), at: .now())
                let directory = daemon.state + "/jobs/\(id)"
                try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
                // As the supervisor leaves the room kept for its record.
                let mark = Data("started\n".utf8) + Data(count: 4088)
                try mark.write(to: URL(fileURLWithPath: directory + "/exit-1.json.new"))
                let event = #"{"event": "metric", "name": "loss", "value": 0.5}"# + "\n"
                try event.write(toFile: directory + "/events-1.jsonl", atomically: true, encoding: .utf8)
            }
            try await daemon.start()
            let detail = try await daemon.ended(id)
            #expect(detail.job.state == .failed && detail.job.attempt == 1)
            #expect(detail.job.reason.contains("its supervisor left no record"))
            #expect(detail.metrics.map(\.name) == ["loss"])
            #expect(!FileManager.default.fileExists(atPath: daemon.work + "/count"))
        }
    }

    @Test func aSupervisorLeavesItsMarkBeforeTheJobRuns() async throws {
        try await RunningDaemon.with { daemon in
            let id = try await daemon.submit(["sh", "-c", "while [ ! -e go ]; do sleep 0.05; done"])
            _ = try await daemon.reaches(id) { $0.state == .running }
            let room = daemon.state + "/jobs/\(id)/exit-1.json.new"
            // The supervisor runs; the job is not necessarily there yet.
            for _ in 0..<400 {
                if try Data(contentsOf: URL(fileURLWithPath: room)).starts(with: Data("started\n".utf8)) { break }
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: room)).starts(with: Data("started\n".utf8)))
            try daemon.touch("go")
            #expect(try await daemon.ended(id).job.state == .succeeded)
            #expect(!FileManager.default.fileExists(atPath: room))
        }
    }

    @Test func aCancelOutlivesTheDaemon() async throws {
        try await RunningDaemon.with { daemon in
            let id = try await daemon.submit(["sleep", "600"])
            _ = try await daemon.reaches(id) { $0.state == .running }
            await daemon.crash()
            let ledger = try Ledger(path: daemon.state + "/ledger.db")
            try await ledger.requestCancel(id, by: "ada")
            try ledger.close()
            try await daemon.start()
            let detail = try await daemon.ended(id)
            #expect(detail.job.state == .cancelled)
            #expect(detail.job.reason == "cancelled by ada")
        }
    }
}
