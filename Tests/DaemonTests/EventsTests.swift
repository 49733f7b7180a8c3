import Foundation
import GRDB
import JobAPI
import Testing
import Units

@testable import Daemon
@testable import Ledger

/// What jobs said about themselves, and the controller's look at the clock.
@Suite(.timeLimit(.minutes(2))) struct EventsTests {
    private func until(_ condition: () async throws -> Bool) async throws {
        while try await !condition() { try await Task.sleep(for: .milliseconds(2)) }
    }

    /// The end waits for those who read the job's events before it, also where these cannot be kept at first.
    @Test func nothingSaidBeforeTheEndIsLostWhenItCannotBeKeptAtOnce() async throws {
        try await DaemonParts.with { parts in
            let stored = try await parts.startedJob(
                events: #"{"event":"metric","name":"loss","value":0.5}"# + "\n" + #"{"event":"progress","epoch":3}"#
                    + "\n")
            let id = stored.record.id
            let record = """
                {"cause":"exited","exit_status":0,"signal":null,"message":null,"user_cpu_us":1,"system_cpu_us":1,\
                "output_lost_bytes":0,"started_at_us":1,"ended_at_us":2}
                """
            try record.write(toFile: await parts.jobs.directory(id).exitRecord(1), atomically: true, encoding: .utf8)
            await parts.jobs.put(stored)
            await parts.meter.begin([parts.tracked(id)])
            try await parts.ledger.write("refuse events") { db in
                try db.execute(
                    sql: """
                        CREATE TRIGGER refuse BEFORE UPDATE OF events_offset ON attempts
                        BEGIN SELECT RAISE(ABORT, 'not now'); END
                        """)
            }
            var (taking, ending): (Task<JobController.TakenEvents, Never>?, Task<Void, Never>?)
            try await parts.holdingLedger {
                taking = Task { await parts.jobs.takeEvents(id) }
                try await until { await parts.jobs.takers[id] != nil }
                ending = Task { await parts.jobs.ended(id) }
                try await until { await !parts.meter.isTracking }
            }
            #expect(await taking?.value == .failed)
            try await parts.ledger.write("take them again") { try $0.execute(sql: "DROP TRIGGER refuse") }
            await ending?.value
            let ended = try #require(try await parts.ledger.job(id))
            #expect(ended.record.state == .succeeded)
            #expect(ended.record.progress?.epoch == 3)
            #expect(try await parts.ledger.metrics(of: id).map(\.value) == [0.5])
            #expect(await parts.jobs.takers.isEmpty)
        }
    }

    @Test func whoeverReadsAtTheSameTimeKeepsEachEventOnce() async throws {
        try await DaemonParts.with { parts in
            let lines = (0..<2000).map { #"{"event":"metric","name":"loss","value":\#($0)}"# }
            let stored = try await parts.startedJob(events: lines.joined(separator: "\n") + "\n")
            let id = stored.record.id
            await parts.jobs.put(stored)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        while await parts.jobs.takeEvents(id) != .all {}
                    }
                }
            }
            #expect(try await parts.ledger.metrics(of: id).map(\.value) == (0..<2000).map(Double.init))
        }
    }

    @Test func manyEarlierWakesLeaveOneSleeper() async throws {
        try await DaemonParts.with { parts in
            let jobs = parts.jobs
            let far = Timestamp.now().advanced(by: .seconds(100_000))
            for earlier in 0..<100 { await jobs.wakeUp(at: far.advanced(by: .seconds(-earlier))) }
            try await until { await jobs.sleepers == 1 }
            // As when plan after plan asks for the far time and something is due before it.
            for _ in 0..<20 {
                await jobs.wakeUp(at: far)
                await jobs.wakeUp(at: .now())
                try await until { await jobs.nextWake == nil }
            }
            await jobs.wakeUp(at: far)
            try await until { await jobs.sleepers == 1 }
            #expect(await jobs.nextWake == far)
        }
    }
}
