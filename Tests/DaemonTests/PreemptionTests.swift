import Foundation
import JobAPI
import JobClient
import Testing
import Units

/// A queue that preempts another, through the whole of the daemon.
@Suite(.serialized) struct PreemptionTests {
    @Test func theFirstThatWaitsGetsRoomOfAnotherQueue() async throws {
        let all = ProcessInfo.processInfo.activeProcessorCount
        let policy = """
            [queue.batch]
            default = true
            [queue.urgent]
            priority = 500
            preempts = ["batch"]
            """
        // On SIGTERM it saves what it has; the next attempt goes on from there.
        let script = """
            trap 'echo saved > saved; exit 0' TERM
            if [ -e saved ]; then exit 0; fi
            while :; do sleep 0.05; done
            """
        try await RunningDaemon.with(policy: policy) { daemon in
            let batch = try await daemon.submit(["sh", "-c", script]) { $0.resources.cpus = all }
            _ = try await daemon.reaches(batch) { $0.state == .running }
            // Another of its own queue waits for it.
            let plain = try await daemon.submit(["true"])
            try await Task.sleep(for: .milliseconds(300))
            #expect(try await daemon.client { try await $0.job(batch) }.job.state == .running)
            let urgent = try await daemon.submit(["true"]) { $0.queue = "urgent" }
            #expect(try await daemon.ended(urgent).job.state == .succeeded)
            let detail = try await daemon.ended(batch)
            #expect(detail.job.state == .succeeded && detail.job.attempt == 2)
            let cause = "requeued by mld, for job \(urgent) of queue \"urgent\" (queue.urgent.preempts, "
            #expect(detail.transitions.contains { $0.cause.contains(cause) && $0.cause.contains("/10.toml:5)") })
            #expect(try await daemon.ended(plain).job.state == .succeeded)
        }
    }
}
