import Foundation
import GRDB
import JobAPI
import JobClient
import Sandbox
import Testing
import Units

/// The time in which no daemon ran, on a machine with a counter.
@Suite(.serialized) struct OutageAtRestartTests {
    /// What the ledger says of the time without a reading, in seconds.
    private struct Gaps {
        var machine: Double
        var job: Double
    }

    /// The daemon dies under a job, `meanwhile` happens, and the next one starts.
    private func gaps(
        meanwhile: (RunningDaemon, JobID) async throws -> Void, andThen: (RunningDaemon, JobID) async throws -> Void
    ) async throws -> Gaps {
        let counter = RisingCounter()
        defer { counter.stop() }
        var result: Gaps?
        try await RunningDaemon.with(
            arguments: ["--sysfs", "{}/sys"], prepare: { try counter.start(below: $0 + "/sys") }
        ) { daemon in
            let id = try await daemon.submit(["sh", "-c", "while [ ! -e go ]; do sleep 0.05; done"])
            _ = try await daemon.reaches(id) { $0.state == .running }
            // Writes down what was read so far.
            _ = try await daemon.client { try await $0.report() }
            await daemon.crash()
            try await meanwhile(daemon, id)
            try await daemon.start()
            try await andThen(daemon, id)
            let report = try await daemon.client { try await $0.report() }
            #expect(report.balance.residualUj == 0)
            result = try await database(daemon).read { db in
                Gaps(
                    machine: try Double.fetchOne(db, sql: "SELECT SUM(gap_us) / 1e6 FROM domain_minutes") ?? 0,
                    job: try Double.fetchOne(
                        db, sql: "SELECT SUM(gap_us) / 1e6 FROM spans WHERE account = 'job'") ?? 0)
            }
        }
        return try #require(result)
    }

    private func database(_ daemon: RunningDaemon) throws -> DatabaseQueue {
        try DatabaseQueue(path: daemon.state + "/ledger.db")
    }

    private func lastReading(_ daemon: RunningDaemon) async throws -> Double {
        try await database(daemon).read { db in
            try Double.fetchOne(
                db, sql: "SELECT CAST(value AS REAL) / 1e6 FROM learned WHERE key = 'last-reading'") ?? 0
        }
    }

    /// It was killed before it had anything to book.
    @Test func aFirstLifeThatBookedNothingIsKnown() async throws {
        try await RunningDaemon.with { daemon in
            await daemon.crash()
            let first = try await lastReading(daemon)
            #expect(first > 1_700_000_000)
            // The machine was restarted: the first daemon of this boot writes its first reading down too.
            try await database(daemon).write { db in
                try db.execute(sql: "UPDATE learned SET value = 'another-boot 1' WHERE key = 'last-reading-clock'")
            }
            try await daemon.start()
            await daemon.crash()
            #expect(try await lastReading(daemon) > first)
            try await daemon.start()
        }
    }

    private func end(_ daemon: RunningDaemon, _ id: JobID) async throws {
        try daemon.touch("go")
        #expect(try await daemon.ended(id).job.state == .succeeded)
    }

    @Test(arguments: [0.0, 3600, -3600])
    func itIsAGapOfTheMachineAndOfItsJobsWhateverTheClockSays(step: Double) async throws {
        var least = 0.0
        let gaps = try await gaps(
            meanwhile: { daemon, _ in
                least = Timestamp.now().seconds - (try await lastReading(daemon))
                try await database(daemon).write { db in
                    try db.execute(
                        sql: "UPDATE learned SET value = CAST(value AS INTEGER) + ? WHERE key = 'last-reading'",
                        arguments: [Int64(step * 1e6)])
                }
            }, andThen: end)
        // At least as long as it took us to look; an hour only where the wall clock were believed.
        #expect(gaps.machine >= least)
        #expect(gaps.job >= least)
        #expect(gaps.machine < 3000)
        #expect(gaps.job < 3000)
    }

    @Test func beforeARebootItLastsAsLongAsAJobTells() async throws {
        var least = 0.0
        let gaps = try await gaps(
            meanwhile: { daemon, id in
                try daemon.touch("go")
                let path = daemon.state + "/jobs/\(id)/exit-1.json"
                var record = ExitRecord.read(path)
                while record == nil {
                    try await Task.sleep(for: .milliseconds(20))
                    record = ExitRecord.read(path)
                }
                least = Double(record?.endedAt ?? 0) / 1e6 - (try await lastReading(daemon))
                try await database(daemon).write { db in
                    try db.execute(
                        sql: """
                            UPDATE learned SET value = 'earlier 1' WHERE key = 'last-reading-clock';
                            UPDATE attempts SET boot_id = 'earlier'
                            """)
                }
            },
            andThen: { daemon, id in
                let detail = try await daemon.ended(id)
                #expect(detail.job.state == .succeeded)
            })
        #expect(least > 0)
        // Microseconds are lost in the sum of doubles.
        #expect(gaps.machine >= least - 1e-4)
        #expect(gaps.job >= least - 1e-4)
    }

    @Test func oddRowsOfWhatWasLearnedKeepNoDaemonFromStarting() async throws {
        try await RunningDaemon.with { daemon in
            await daemon.stop()
            try await database(daemon).write { db in
                for (key, value) in [
                    ("idle-baseline", #"{"entries":{"package-0":{"watts":"ten","updated":1}}}"#),
                    ("last-reading", "-9223372036854775808"), ("last-reading-clock", "yesterday"),
                ] {
                    try db.execute(sql: "INSERT OR REPLACE INTO learned VALUES (?, ?, 1)", arguments: [key, value])
                }
            }
            try await daemon.start()
            #expect(daemon.log.contains("learned anew"))
            let id = try await daemon.submit(["true"])
            #expect(try await daemon.ended(id).job.state == .succeeded)
        }
    }
}
