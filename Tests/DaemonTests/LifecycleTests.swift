import Foundation
import JobAPI
import JobClient
import Testing
import Units

/// Start, stop, crash and restart of the daemon.
@Suite(.serialized) struct LifecycleTests {
    @Test func aSecondDaemonOnTheSameStateIsRefused() async throws {
        try await RunningDaemon.with { daemon in
            let second = try RunningDaemon.run(
                "mld", ["--state", daemon.state, "--socket", daemon.directory + "/other"])
            #expect(second.status == 1)
            #expect(second.err.contains("another mld is running on \(daemon.state)"))
            let sameSocket = try RunningDaemon.run(
                "mld", ["--state", daemon.directory + "/state2", "--socket", daemon.socket])
            #expect(sameSocket.status == 1)
            #expect(sameSocket.err.contains("another daemon is listening"))
            #expect(try await daemon.client { try await $0.health() }.stateDirectory == daemon.state)
        }
    }

    @Test func theSocketIsForItsUserOnlyAndThePeerIsTheKernels() async throws {
        try await RunningDaemon.with { daemon in
            let attributes = try FileManager.default.attributesOfItem(atPath: daemon.socket)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(try await daemon.client { try await $0.health() }.peerUid == geteuid())
        }
    }

    @Test func stoppingLeavesRunningJobsAloneAndTheNextDaemonAdoptsThem() async throws {
        try await RunningDaemon.with { daemon in
            let id = try await daemon.submit(["sh", "-c", "while [ ! -e go ]; do sleep 0.1; done; exit 5"])
            _ = try await daemon.reaches(id) { $0.state == .running }
            #expect(await daemon.stop() == 0)
            #expect(!FileManager.default.fileExists(atPath: daemon.socket))
            try await daemon.start()
            #expect(try await daemon.client { try await $0.job(id) }.job.state == .running)
            try daemon.touch("go")
            let detail = try await daemon.ended(id)
            #expect(detail.job.state == .failed)
            #expect(detail.job.exitStatus == 5)
            #expect(detail.job.attempt == 1)
        }
    }

    @Test func aCrashLosesNothingAndRunsNothingTwice() async throws {
        try await RunningDaemon.with { daemon in
            let first = try await daemon.submit([
                "sh", "-c", "echo ran >> count; while [ ! -e go ]; do sleep 0.1; done",
            ])
            _ = try await daemon.reaches(first) { $0.state == .running }
            let ended = try await daemon.submit(["sh", "-c", "echo ran >> count2"])
            _ = try await daemon.ended(ended)
            let queued = try await daemon.submit(["true"]) {
                $0.schedule.notBefore = Timestamp.now().advanced(by: .seconds(3600))
            }
            await daemon.crash()
            // It ends while nobody watches.
            try daemon.touch("go")
            try await Task.sleep(for: .milliseconds(500))
            try await daemon.start()
            #expect(try await daemon.ended(first).job.state == .succeeded)
            #expect(try await daemon.client { try await $0.job(ended) }.job.state == .succeeded)
            #expect(try await daemon.client { try await $0.job(queued) }.job.state == .queued)
            let count = try String(contentsOfFile: daemon.work + "/count", encoding: .utf8)
            #expect(count == "ran\n")
            let report = try await daemon.client { try await $0.report() }
            #expect(report.balance.residualUj == 0)
        }
    }

    @Test func withoutADaemonTheClientSaysHowToStartOne() throws {
        let result = try RunningDaemon.run("mlctl", ["list"], environment: ["MLD_SOCKET": "/tmp/mldt-none/s"])
        #expect(result.status == 3)
        #expect(result.err.contains("mld"))
    }

    @Test func aBadPolicyStopsTheStartWithItsLine() throws {
        let directory = "/tmp/mldt-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory + "/policies", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try "[machine]\nreserve-cpu = 1\n".write(
            toFile: directory + "/policies/bad.toml", atomically: true, encoding: .utf8)
        let result = try RunningDaemon.run(
            "mld",
            ["--state", directory + "/state", "--socket", directory + "/s", "--policy", directory + "/policies"])
        #expect(result.status == 1)
        #expect(result.err.contains("bad.toml:2"))
        #expect(result.err.contains("reserve-cpus"))
    }
}
