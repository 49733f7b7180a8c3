import Foundation
import JobAPI
import JobClient
import Testing

/// Jobs that their owner holds.
@Suite(.serialized) struct HoldTests {
    @Test func aHeldJobWaitsUntilItIsReleasedWhateverComes() async throws {
        try await RunningDaemon.with { daemon in
            let all = try await daemon.submit(["sh", "-c", "while [ ! -e go ]; do sleep 0.05; done"]) {
                $0.resources.cpus = ProcessInfo.processInfo.activeProcessorCount
            }
            _ = try await daemon.reaches(all) { $0.state == .running }
            let held = try await daemon.submit(["true"])
            let record = try await daemon.client { try await $0.act(.hold, on: held) }
            #expect(record.state == .queued && record.reason.hasPrefix("held by "))
            await #expect(throws: ClientError.self) { try await daemon.client { try await $0.act(.hold, on: held) } }
            await #expect(throws: ClientError.self) { try await daemon.client { try await $0.act(.hold, on: all) } }

            try daemon.touch("go")
            // One that came later passes it.
            let later = try await daemon.submit(["true"])
            #expect(try await daemon.ended(later).job.state == .succeeded)
            await daemon.crash()
            try await daemon.start()
            let another = try await daemon.submit(["true"])
            #expect(try await daemon.ended(another).job.state == .succeeded)
            let waiting = try await daemon.client { try await $0.job(held) }.job
            #expect(waiting.state == .queued && waiting.reason.hasPrefix("held by "))

            _ = try await daemon.client { try await $0.act(.release, on: held) }
            #expect(try await daemon.ended(held).job.state == .succeeded)
            await #expect(throws: ClientError.self) { try await daemon.client { try await $0.act(.release, on: held) } }
        }
    }
}
