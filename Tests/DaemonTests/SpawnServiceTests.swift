import Foundation
import JobAPI
import JobClient
import LinuxSystem
import Sandbox
import TestSupport
import Testing

/// Jobs that a service starts for the daemon, as they are in an installed system.
@Suite(.serialized) struct SpawnServiceTests {
    private func withService(_ body: (JobsService, String) async throws -> Void) async throws {
        let directory = "/tmp/mldt-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let service = try JobsService(in: directory)
        defer { service.stop() }
        try await body(service, directory)
    }

    private func parent(of pid: Int32) -> Int32? { ProcessTable().status(of: pid)?.parent }

    @Test func aJobIsItsChildAndEndsAsAnyOther() async throws {
        try await withService { service, _ in
            try await RunningDaemon.with(arguments: ["--spawner", service.path]) { daemon in
                let id = try await daemon.submit([
                    "sh", "-c", "until [ -e go ]; do sleep 0.05; done; echo over; exit 7",
                ])
                let running = try await daemon.reaches(id) { $0.state == .running }
                let supervisor = try #require(try await supervisor(of: id, daemon))
                #expect(parent(of: supervisor) == service.process.processIdentifier)
                #expect(!running.enforced.isEmpty)
                try daemon.touch("go")
                let ended = try await daemon.ended(id)
                #expect(ended.job.state == .failed && ended.job.exitStatus == 7)
                #expect(try await daemon.logs(id) == "over\n")
                // Paths are followed with the job's own eyes, and what is wrong with them is said when it is submitted.
                await #expect(throws: (any Error).self) {
                    try await daemon.submit(["true"]) { $0.sandbox.readOnly = ["/no/such/place"] }
                }
            }
        }
    }

    @Test func jobsOutliveItAndItsSuccessorStartsTheNext() async throws {
        try await withService { service, _ in
            try await RunningDaemon.with(arguments: ["--spawner", service.path]) { daemon in
                let first = try await daemon.submit(["sh", "-c", "until [ -e go ]; do sleep 0.05; done; echo over"])
                _ = try await daemon.reaches(first) { $0.state == .running }
                service.stop()
                // It waits in the socket, and no job fails for want of the service.
                async let second = daemon.submit(["echo", "second"])
                try await Task.sleep(for: .milliseconds(300))
                try service.start()
                #expect(try await daemon.ended(try await second).job.state == .succeeded)
                try daemon.touch("go")
                let ended = try await daemon.ended(first)
                #expect(ended.job.state == .succeeded && ended.job.attempt == 1)
            }
        }
    }

    @Test func aRestartedDaemonAdoptsWhatItStarted() async throws {
        try await withService { service, _ in
            try await RunningDaemon.with(arguments: ["--spawner", service.path]) { daemon in
                let id = try await daemon.submit([
                    "sh", "-c", "echo ran >> count; until [ -e go ]; do sleep 0.05; done",
                ])
                _ = try await daemon.reaches(id) { $0.state == .running }
                await daemon.crash()
                try await daemon.start()
                try daemon.touch("go")
                let ended = try await daemon.ended(id)
                #expect(ended.job.state == .succeeded && ended.job.attempt == 1)
                #expect(try String(contentsOfFile: daemon.work + "/count", encoding: .utf8) == "ran\n")
            }
        }
    }

    /// Helpers run as users, who can stop them: so they have bounds, and are killed by who may do that.
    @Test(.timeLimit(.minutes(1)), arguments: [false, true])
    func aHelperThatHangsOrPrintsTooMuchIsKilled(isService: Bool) async throws {
        try await withService { service, directory in
            let spawner = isService ? Spawner.service(service.path) : .here
            func run(_ script: String, patience: Double = 50, limit: Int = 64 << 10) throws -> Result<
                ProcessSpawner.Output, LinuxError
            > {
                Result { () throws(LinuxError) in
                    try spawner.run(
                        RunningDaemon.programs + "/mld-exec", arguments: ["exec", "--", "/bin/sh", "-c", script],
                        patience: patience, limit: limit)
                }
            }
            func killed(_ name: String) async throws {
                let pid = try #require(Int32(String(contentsOfFile: directory + name, encoding: .utf8).dropLast()))
                for _ in 0..<600 where ProcessTable().status(of: pid).map({ !$0.hasEnded }) ?? false {
                    try await Task.sleep(for: .milliseconds(50))
                }
                #expect(ProcessTable().status(of: pid)?.hasEnded ?? true, "\(name)")
            }
            // More than a pipe holds.
            let long = try run("head -c 300000 /dev/zero; exit 3", limit: 300_000).get()
            #expect(long.status == 3 << 8 && long.bytes.count == 300_000)
            let tooLong = #expect(throws: LinuxError.self) {
                try run("echo $$ >\(directory)/long; yes", limit: 300_000).get()
            }
            #expect(tooLong?.code == EFBIG && tooLong?.message == "printed more than 300000 bytes: killed")
            try await killed("/long")
            let hung = #expect(throws: LinuxError.self) {
                try run("echo $$ >\(directory)/hung; kill -STOP $$; echo over", patience: 1).get()
            }
            #expect(hung?.code == ETIMEDOUT && hung?.message == "no answer within 1 s: killed")
            try await killed("/hung")
            #expect(try run("echo next").get().text == "next\n")
        }
    }

    /// Paths are followed by a process of the submitter's, who can stop it. Here the service stands still, which is the same to mld.
    @Test(.timeLimit(.minutes(1))) func whoMakesMldWaitHoldsUpNobody() async throws {
        try await withService { service, _ in
            try await RunningDaemon.with(arguments: ["--spawner", service.path]) { daemon in
                kill(service.process.processIdentifier, SIGSTOP)
                defer { kill(service.process.processIdentifier, SIGCONT) }
                // More than there are threads for tasks.
                let count = 2 * ProcessInfo.processInfo.activeProcessorCount + 4
                let submissions = Task {
                    try await withThrowingTaskGroup(of: JobID.self) { group in
                        for _ in 0..<count { group.addTask { try await daemon.submit(["true"]) } }
                        return try await group.reduce(into: Set<JobID>()) { $0.insert($1) }
                    }
                }
                for _ in 0..<10 {
                    try await Task.sleep(for: .milliseconds(100))
                    #expect(try await daemon.client { try await $0.jobs().jobs.count } == 0)
                }
                kill(service.process.processIdentifier, SIGCONT)
                #expect(try await submissions.value.count == count)
            }
        }
    }

    @Test(.timeLimit(.minutes(2))) func aJobWhosePathsAreNotFollowedInTimeIsPutBack() async throws {
        try await withService { service, _ in
            try await RunningDaemon.with(arguments: ["--spawner", service.path]) { daemon in
                let first = try await daemon.submit(["sh", "-c", "until [ -e go ]; do sleep 0.05; done"])
                let second = try await daemon.submit(["true"]) {
                    $0.schedule.after = [Dependency(JobReference(first), .ended)]
                }
                _ = try await daemon.reaches(first) { $0.state == .running }
                kill(service.process.processIdentifier, SIGSTOP)
                defer { kill(service.process.processIdentifier, SIGCONT) }
                try daemon.touch("go")
                let waiting = try await daemon.reaches(second) {
                    $0.state == .queued && $0.reason.contains("could not be started")
                }
                #expect(waiting.job.reason.contains("were not followed within 10 s"), "\(waiting.job)")
                let error = await #expect(throws: ClientError.self) { try await daemon.submit(["true"]) }
                guard case .refused(let refusal) = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
                #expect(refusal.code == .invalidRequest && refusal.message.contains("within 10 s"), "\(refusal)")
                kill(service.process.processIdentifier, SIGCONT)
                #expect(try await daemon.ended(second).job.state == .succeeded)
            }
        }
    }

    @Test func nothingElseIsStarted() async throws {
        try await withService { service, directory in
            let spawner = Spawner.service(service.path)
            let output = try spawner.run(RunningDaemon.programs + "/mld-exec", arguments: ["--help"])
            #expect(output.status == 0 && output.text.hasPrefix("usage: mld-exec"))
            #expect(try spawner.run(RunningDaemon.programs + "/mld-exec", arguments: ["nonsense"]).status == 2 << 8)
            for program in ["/bin/true", "/bin/sh", "mld-exec", RunningDaemon.programs + "/mld"] {
                do throws(LinuxError) {
                    _ = try spawner.run(program, arguments: [])
                    Issue.record("\(program) was started")
                } catch {
                    #expect(error.code == EACCES, "\(error)")
                }
            }
            do throws(LinuxError) {
                _ = try Spawner.service(directory + "/none").run("/bin/true", arguments: [])
                Issue.record("there is no service")
            } catch {
                #expect(error.isTransient && error.description.contains("No such file"), "\(error)")
            }
        }
    }

    /// Whatever comes over its socket: it answers no, or nothing, and goes on.
    @Test func hostilePacketsAreRefused() async throws {
        try await withService { service, _ in
            var random = Seeded(7)
            for length in [0, 1, 7, 16, 64] {
                let bytes = (0..<64).map { _ in UInt8.random(in: 0...255, using: &random) }
                let connection = try UnixSocket.connect(service.path, type: SOCK_SEQPACKET)
                send(connection, bytes, length, 0)
                close(connection)
            }
            let output = try Spawner.service(service.path)
                .run(RunningDaemon.programs + "/mld-exec", arguments: ["--help"])
            #expect(output.status == 0 && service.process.isRunning)
        }
    }

    @Test func aDaemonWhoseServiceIsNotThereDoesNotStart() async throws {
        let directory = "/tmp/mldt-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let result = try RunningDaemon.run(
            "mld",
            [
                "--state", directory, "--socket", directory + "/s", "--spawner", directory + "/none", "--policy",
                directory,
            ])
        #expect(result.status == 1)
        #expect(result.err.contains("mld-spawn.service") && result.err.contains(directory + "/none"), "\(result.err)")
    }

    private func supervisor(of id: JobID, _ daemon: RunningDaemon) async throws -> Int32? {
        try ProcessTable().pids().first { pid in
            let words = (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)) ?? ""
            return words.contains("supervise") && words.contains(daemon.state + "/jobs/\(id)/")
        }
    }
}
