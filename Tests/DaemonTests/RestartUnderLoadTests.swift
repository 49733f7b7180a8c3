import Foundation
import JobAPI
import JobClient
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
                // Of a daemon that is killed nobody can tell whether it took what it was being sent; before and after it can be told.
                let isCrash = round == 1
                if isCrash { await daemon.crash() }
                for number in 0..<4 {
                    let name = "submitted-\(round)-\(number)"
                    submitters.append(
                        try start(daemon, ["run", "--", "sh", "-c", "echo \(name) >> single"], out: name))
                    if number == 1, !isCrash { await daemon.stop() }
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

    private func arrayEnded(_ id: JobID, _ daemon: RunningDaemon) async throws -> ArrayReport {
        for _ in 0..<1200 {
            let report = try await daemon.client { try await $0.array(id) }
            if report.states.keys.allSatisfy({ JobState(rawValue: $0)?.isFinal ?? false }) { return report }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw RunningDaemon.Failure("the array did not end:\n\(daemon.log)")
    }
}
