import Foundation
import JobAPI
import JobClient
import Testing
import Units

/// What is learned of a job's likes decides whether its deadline can be met.
@Suite(.serialized) struct LearnedAdmissionTests {
    private let policy = "[queue.batch]\ndefault = true\nmax-time = \"2 h\"\n"

    private func refusal(_ daemon: RunningDaemon, _ argv: [String], within seconds: Double, limit: Double? = nil) async
        -> String?
    {
        do {
            _ = try await daemon.submit(argv) {
                $0.resources.timeLimit = limit
                $0.schedule.deadline = Timestamp.now().advanced(by: .seconds(seconds))
            }
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func likesTellMoreThanTheLimitOfAQueue() async throws {
        try await RunningDaemon.with(policy: policy) { daemon in
            let argv = ["sleep", "4"]
            // Nobody knows it: it may take the queue's two hours.
            let unknown = try #require(await refusal(daemon, argv, within: 1800))
            #expect(
                unknown.contains("would miss the deadline") && unknown.contains("its time limit is 2 h"), "\(unknown)")
            var ids: [JobID] = []
            for _ in 0..<3 { ids.append(try await daemon.submit(argv)) }
            for id in ids { #expect(try await daemon.ended(id).job.state == .succeeded) }
            #expect(await refusal(daemon, argv, within: 1800) == nil)
            let short = try #require(await refusal(daemon, argv, within: 3))
            #expect(short.contains("would miss the deadline") && short.contains("jobs like it ran"), "\(short)")
            // Its own limit would end it before.
            #expect(await refusal(daemon, argv, within: 600, limit: 500) == nil)
            // It holds of a daemon that has read it in the ledger, too.
            await daemon.stop()
            try await daemon.start()
            #expect(await refusal(daemon, argv, within: 1800) == nil)
            #expect(try await daemon.client { try await $0.jobs(states: [.failed]) }.jobs.isEmpty)
        }
    }
}
