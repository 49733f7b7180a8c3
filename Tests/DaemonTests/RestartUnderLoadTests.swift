import Foundation
import JobAPI
import JobClient
import Synchronization
import Testing
import Units

/// A daemon that is restarted while much is going on, with its socket kept as systemd keeps it: nothing is lost, nothing runs twice,
/// and whoever waits notices a pause at most.
@Suite(.serialized) struct RestartUnderLoadTests {
    /// A thousand take two minutes; as many do as last from one restart to the other.
    private static let count = 300

    private func start(_ daemon: RunningDaemon, _ arguments: [String], out: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: RunningDaemon.programs + "/mlctl")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["MLD_SOCKET": daemon.socket]) { $1 }
        process.currentDirectoryURL = URL(fileURLWithPath: daemon.work)
        process.standardInput = FileHandle.nullDevice
        let base = "\(daemon.directory)/\(out)"
        for end in [".out", ".err"] { try Data().write(to: URL(fileURLWithPath: base + end)) }
        process.standardOutput = FileHandle(forWritingAtPath: base + ".out")
        process.standardError = FileHandle(forWritingAtPath: base + ".err")
        try process.run()
        return process
    }

    private func text(_ daemon: RunningDaemon, _ name: String) throws -> String {
        try String(contentsOfFile: "\(daemon.directory)/\(name)", encoding: .utf8)
    }

    private func end(_ process: Process) async throws -> Int32 {
        for _ in 0..<2400 where process.isRunning { try await Task.sleep(for: .milliseconds(50)) }
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
        return process.terminationStatus
    }

    @Test func nothingIsLostOrDoubled() async throws {
        try await RunningDaemon.with(holdsSocket: true) { daemon in
            // One runs for as long as this takes, the rest of the machine goes through many others.
            let followed = try start(
                daemon,
                ["run", "--", "sh", "-c", "echo begun; until [ -e go ]; do sleep 0.1; done; echo over; exit 5"],
                out: "followed")
            for _ in 0..<400 {
                if try text(daemon, "followed.out").contains("begun") { break }
                try await Task.sleep(for: .milliseconds(50))
            }
            let array = try JobArray("1-\(Self.count)")
            let many = try await daemon.submit(["sh", "-c", "echo $MLD_ARRAY_INDEX >> done"]) {
                $0.resources.memory = .mebibytes(16)
                $0.array = array
            }
            var submitters: [Process] = []
            for round in 0..<3 {
                try await Task.sleep(for: .milliseconds(700))
                // One that is killed may have taken what it was being sent: it is sent again, and known.
                let isCrash = round == 1
                for number in 0..<4 {
                    let name = "submitted-\(round)-\(number)"
                    submitters.append(
                        try start(daemon, ["run", "--", "sh", "-c", "echo \(name) >> single"], out: name))
                    guard number == 1 else { continue }
                    if isCrash { await daemon.crash() } else { await daemon.stop() }
                }
                try await daemon.start()
            }
            for submitter in submitters { #expect(try await end(submitter) == 0, "\(submitter.arguments ?? [])") }
            let report = try await arrayEnded(many, daemon)
            #expect(report.states["succeeded"] == Self.count)
            let lines = try String(contentsOfFile: daemon.work + "/done", encoding: .utf8).split(separator: "\n")
            #expect(lines.count == Self.count && Set(lines).count == Self.count)
            let singles = try String(contentsOfFile: daemon.work + "/single", encoding: .utf8).split(separator: "\n")
            #expect(singles.count == 12 && Set(singles).count == 12)
            try daemon.touch("go")
            #expect(try await end(followed) == 5)
            #expect(try text(daemon, "followed.out") == "begun\nover\n")
            let audit = try daemon.mlctl("report", "--audit")
            #expect(audit.status == 0, "\(audit.out)\(audit.err)")
        }
    }

    /// Once each, without trying again: who comes while it stops waits for the next, and who came before has an answer.
    @Test func aStopSendsNobodyAway() async throws {
        try await RunningDaemon.with(holdsSocket: true) { daemon in
            let isOver = Flag()
            let socket = daemon.socket
            let failures = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        var failures: [String] = []
                        while !isOver.isSet {
                            do { _ = try await JobClient.with(socket: socket) { try await $0.health() } } catch {
                                failures.append("\(error)")
                            }
                        }
                        return failures
                    }
                }
                for _ in 0..<5 {
                    try await Task.sleep(for: .milliseconds(300))
                    #expect(await daemon.stop() == 0)
                    try await daemon.start()
                }
                isOver.set()
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(failures == [])
        }
    }

    /// Each submission is sent again until it is answered; what was accepted and what was answered are the same.
    @Test func aKillDoublesAndLosesNoSubmission() async throws {
        try await RunningDaemon.with(holdsSocket: true) { daemon in
            let isOver = Flag()
            let socket = daemon.socket
            let spec = JobSpec(
                resources: .init(cpus: 1, memory: .mebibytes(64)), schedule: .init(notBefore: .init(seconds: 4e9)),
                sandbox: .init(workdir: daemon.work), command: .init(argv: ["true"]))
            let answered = try await withThrowingTaskGroup(of: [JobID].self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        var ids: [JobID] = []
                        while !isOver.isSet {
                            ids.append(try await JobClient.with(socket: socket) { try await $0.submit(spec).id })
                        }
                        return ids
                    }
                }
                for _ in 0..<4 {
                    try await Task.sleep(for: .milliseconds(300))
                    await daemon.crash()
                    try await daemon.start()
                }
                isOver.set()
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(Set(answered).count == answered.count && answered.count > 20)
            let waiting = try await daemon.client { try await $0.jobs(states: [.queued], limit: 100_000) }
            #expect(Set(waiting.jobs.map(\.id)) == Set(answered))
            for id in answered { _ = try await daemon.client { try await $0.cancel(id) } }
        }
    }

    private final class Flag: Sendable {
        private let value = Mutex(false)

        var isSet: Bool { value.withLock { $0 } }
        func set() { value.withLock { $0 = true } }
    }

    private func arrayEnded(_ id: JobID, _ daemon: RunningDaemon) async throws -> ArrayReport {
        for _ in 0..<1200 {
            let report = try await daemon.client { try await $0.array(id) }
            if report.states.keys.allSatisfy({ JobState(rawValue: $0)?.isFinal ?? false }) { return report }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw RunningDaemon.Failure("the array did not end:\n\(daemon.log)")
    }
}
