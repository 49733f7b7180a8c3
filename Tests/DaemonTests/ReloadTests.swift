import Foundation
import JobAPI
import JobClient
import Testing

/// The policy files read again while mld runs.
@Suite(.serialized) struct ReloadTests {
    private func value(_ key: String, _ daemon: RunningDaemon) async throws -> String? {
        try await daemon.client { try await $0.policy() }.settings.first { $0.key == key }?.value
    }

    @Test func newFilesAreInForceAndTheBooksStayRight() async throws {
        try await RunningDaemon.with(policy: "[site]\nzone = \"DE\"\n[queue.a]\ndefault = true\nmax-time = \"1 h\"\n") {
            daemon in
            let running = try await daemon.submit(["sh", "-c", "while [ ! -e go ]; do sleep 0.02; done"])
            _ = try await daemon.reaches(running) { $0.state == .running }
            try daemon.write(
                policy:
                    "[site]\nzone = \"FR\"\npue = 1.5\n[queue.a]\ndefault = true\nmax-time = \"2 h\"\n[queue.b]\n")
            let reload = try daemon.mlctl("policy", "reload")
            #expect(reload.status == 0 && reload.out.hasPrefix("in force: 1 file, "), "\(reload)")
            #expect(try await value("queue.a.max-time", daemon) == "2 h")
            // What runs goes on, new jobs may go where none could before, and both are under one set of books.
            let new = try await daemon.submit(["true"]) { $0.queue = "b" }
            #expect(try await daemon.ended(new).job.state == .succeeded)
            try daemon.touch("go")
            #expect(try await daemon.ended(running).job.state == .succeeded)
            let devices = try await daemon.client { try await $0.devices() }
            #expect(devices.carbonSource.contains("France") && devices.pue == 1.5)
            let audit = try daemon.mlctl("report", "--audit")
            #expect(audit.status == 0, "\(audit)")
            let again = try daemon.mlctl("policy", "reload")
            #expect(again.status == 0 && again.out.hasPrefix("nothing has changed: 1 file"))
        }
    }

    @Test(arguments: [
        ("[queue.a]\ndefault = true\npriority = 5000\n", "10.toml:3"), ("[site]\nzone = \"XX\"\n", "10.toml:2"),
    ])
    func aBadFileChangesNothing(text: String, place: String) async throws {
        try await RunningDaemon.with(policy: "[queue.a]\ndefault = true\nmax-time = \"1 h\"\n") { daemon in
            try daemon.write(policy: text)
            let reload = try daemon.mlctl("policy", "reload")
            #expect(reload.status == 1)
            #expect(reload.err.contains(place) && reload.err.contains("the policy in force stays"), "\(reload.err)")
            #expect(try await value("queue.a.max-time", daemon) == "1 h")
            #expect(try await daemon.ended(try await daemon.submit(["true"])).job.state == .succeeded)
        }
    }

    @Test func whatThisMachineCannotKeepIsTold() async throws {
        let tooMuch = "[machine]\nreserve-cpus = 500\n"
        let words = "10.toml:2: the reserves leave no CPU or no memory for jobs"
        try await RunningDaemon.with(policy: tooMuch) { daemon in
            #expect(daemon.log.contains("policy: ") && daemon.log.contains(words), "\(daemon.log)")
            try daemon.write(policy: "[machine]\nreserve-cpus = 0\n")
            let mended = try daemon.mlctl("policy", "reload")
            #expect(mended.status == 0 && !mended.err.contains(words), "\(mended)")
            try daemon.write(policy: tooMuch)
            let reload = try daemon.mlctl("policy", "reload")
            #expect(reload.status == 0 && reload.err.contains("warning: "), "\(reload)")
            #expect(reload.err.contains(words), "\(reload)")
        }
    }

    /// Without the directory caps, budgets and access would be gone: that is no policy of no files.
    @Test func aDirectoryThatIsGoneChangesNothing() async throws {
        try await RunningDaemon.with(policy: "[queue.a]\ndefault = true\nmax-time = \"1 h\"\n") { daemon in
            let policies = daemon.directory + "/policies"
            try FileManager.default.moveItem(atPath: policies, toPath: policies + ".away")
            let reload = try daemon.mlctl("policy", "reload")
            #expect(reload.status == 1)
            #expect(reload.err.contains("there is no policy directory \(policies)"), "\(reload.err)")
            #expect(try await value("queue.a.max-time", daemon) == "1 h")
            await daemon.stop()
            let arguments = ["--state", daemon.state, "--socket", daemon.socket, "--policy", policies]
            let start = try RunningDaemon.run("mld", arguments)
            #expect(start.status == 1)
            #expect(start.err.contains("there is no policy directory \(policies)"), "\(start.err)")
        }
    }

    @Test func problemsStandOnceAndOnALineEach() async throws {
        let bad = "[queue.a]\ndefault = true\npriority = 5000\nmax-tim = \"1 h\"\n"
        try await RunningDaemon.with(policy: "[queue.a]\ndefault = true\n") { daemon in
            try daemon.write(policy: bad)
            let reload = try daemon.mlctl("policy", "reload")
            for line in ["10.toml:3: ", "10.toml:4: "] {
                #expect(reload.err.split(separator: line, omittingEmptySubsequences: false).count == 2, "\(reload.err)")
            }
            daemon.hangUp()
            for _ in 0..<400 where !daemon.log.contains("the policy in force stays") {
                try await Task.sleep(for: .milliseconds(50))
            }
            let lines = daemon.log.split(separator: "\n").filter { $0.contains("10.toml:") }
            #expect(lines.count == 2 && !daemon.log.contains("\u{FFFD}"), "\(daemon.log)")
        }
    }

    @Test func aHangUpReloadsToo() async throws {
        try await RunningDaemon.with(policy: "[queue.a]\ndefault = true\nmax-time = \"1 h\"\n") { daemon in
            try daemon.write(policy: "[queue.a]\ndefault = true\nmax-time = \"3 h\"\n")
            daemon.hangUp()
            for _ in 0..<400 where try await value("queue.a.max-time", daemon) != "3 h" {
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(try await value("queue.a.max-time", daemon) == "3 h")
            try daemon.write(policy: "nonsense")
            daemon.hangUp()
            for _ in 0..<400 where !daemon.log.contains("the policy in force stays") {
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(daemon.log.contains("the policy in force stays"))
            #expect(try await value("queue.a.max-time", daemon) == "3 h")
        }
    }
}
