import Foundation
import JobAPI
import JobClient
import Testing
import Units

/// The policy's sandbox keys through the whole of the daemon: from the file to the job and to what `mlctl show` says.
@Suite(.serialized) struct SandboxPolicyTests {
    private static let policy = """
        [sandbox.default]
        bind = ["{}/shared"]
        max-processes = 500
        max-open-files = 90
        max-file-size = "2 MiB"
        refuse-syscalls = ["chmod", "fchmod", "fchmodat"]
        """

    private func with(_ policy: String = policy, _ body: (RunningDaemon) async throws -> Void) async throws {
        try await RunningDaemon.with(
            prepare: { directory in
                for name in ["policies", "shared", "closed"] {
                    try FileManager.default.createDirectory(
                        atPath: directory + "/" + name, withIntermediateDirectories: true)
                }
                try Data("rows".utf8).write(to: URL(fileURLWithPath: directory + "/shared/data"))
                try Data(policy.replacingOccurrences(of: "{}", with: directory).utf8)
                    .write(to: URL(fileURLWithPath: directory + "/policies/10.toml"))
            }, body)
    }

    @Test func theKeysReachTheJobAndItsRecord() async throws {
        try await with { daemon in
            let script = "cat \(daemon.directory)/shared/data; echo; ulimit -n; chmod 700 . 2>/dev/null || echo refused"
            let id = try await daemon.submit(["sh", "-c", script]) { $0.sandbox.maxOpenFiles = 80 }
            let detail = try await daemon.ended(id)
            #expect(detail.job.state == .succeeded)
            #expect(try await daemon.logs(id, .stdout) == "rows\n80\nrefused\n")
            let shown = try daemon.mlctl("show", "\(id)").out
            for part in [
                "at most 80 open files in each process", "no file above 2097152 bytes", "no core dumps",
                "refused besides by the policy: chmod, fchmod, fchmodat",
            ] { #expect(shown.contains(part), "\(shown)") }
        }
    }

    @Test func aLogKeepsAsMuchAsThePolicySays() async throws {
        try await with("[sandbox.default]\nmax-log-size = \"1 MiB\"\n") { daemon in
            let id = try await daemon.submit(["seq", "1", "400000"])
            let detail = try await daemon.ended(id)
            #expect(detail.job.state == .succeeded)
            let kept = try await daemon.logs(id, .stdout)
            #expect(kept.hasSuffix("399999\n400000\n"))
            #expect((1 << 18...1 << 20).contains(kept.utf8.count), "\(kept.utf8.count)")
        }
    }

    @Test func moreThanThePolicyGrantsIsRefusedWithItsLine() async throws {
        try await with { daemon in
            let error = await #expect(throws: (any Error).self) {
                try await daemon.submit(["true"]) { $0.sandbox.maxOpenFiles = 91 }
            }
            let text = "\(String(describing: error))"
            #expect(text.contains("sandbox.max-open-files is 91"))
            #expect(text.contains("10.toml:4"))
            let device = try daemon.mlctl("run", "--device", "/dev/kfd", "--", "true")
            #expect(device.status != 0)
            #expect(device.err.contains("sandbox.devices has \"/dev/kfd\", which jobs in queue"))
        }
    }

    /// By its text the path lies where the policy allows it; where it leads, it does not.
    @Test func aLinkOutOfThePlacesOfThePolicyIsRefusedAndEndsAStart() async throws {
        try await with("[sandbox.default]\nread-only = [\"{}/work\"]\nread-write = [\"{}/work\"]\n") { daemon in
            let link = daemon.work + "/link"
            let closed = daemon.directory + "/closed"
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: closed)
            let error = await #expect(throws: (any Error).self) {
                try await daemon.submit(["true"]) { $0.sandbox.readOnly = [link] }
            }
            #expect("\(String(describing: error))".contains("/closed lies where the policy lets no job read"))
            // One that was sound when the job was submitted.
            try FileManager.default.removeItem(atPath: link)
            try FileManager.default.createDirectory(atPath: link, withIntermediateDirectories: true)
            let id = try await daemon.submit(["true"]) {
                $0.sandbox.readOnly = [link]
                $0.schedule.notBefore = Timestamp.now().advanced(by: .seconds(5))
            }
            _ = try await daemon.client { try await $0.act(.hold, on: id) }
            try FileManager.default.removeItem(atPath: link)
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: closed)
            _ = try await daemon.client { try await $0.act(.release, on: id) }
            let job = try await daemon.ended(id).job
            #expect(job.state == .failed)
            #expect(job.reason.contains("/closed lies where the policy lets no job read"))
            #expect(try await daemon.ended(try await daemon.submit(["true"])).job.state == .succeeded)
        }
    }
}
