import JobAPI
import Testing
import Units

@testable import Daemon

/// How long nobody read the meters, and for whom that counts.
@Suite struct OutageTests {
    private let day = Timestamp(seconds: 1_795_000_000)

    private func time(_ wall: Double, boot: String? = "a", uptime: Double) -> ReadingTime {
        ReadingTime(
            at: day.advanced(by: .seconds(wall)),
            boot: boot.map { .init(id: $0, uptime: Uptime(nanoseconds: Int64(uptime * 1e9))) })
    }

    private func job(
        _ number: Int64 = 1, boot: String = "a", from: Double = -100, until: Double? = nil, isRunning: Bool = false
    ) -> Outage.Job {
        Outage.Job(
            id: JobID(number), attempt: 1, bootID: boot, startedAt: day.advanced(by: .seconds(from)),
            endedAt: until.map { day.advanced(by: .seconds($0)) }, isRunning: isRunning)
    }

    @Test func onOneBootItIsTheTimeBetweenTheReadings() throws {
        let jobs = [
            job(1, isRunning: true), job(2, until: 7), job(3, from: 4, until: 6), job(4, until: -1),
            job(5, boot: "earlier", isRunning: false),
        ]
        let outage = try #require(Outage(from: time(0, uptime: 50), to: time(10, uptime: 60), jobs: jobs))
        #expect(outage.start == day)
        #expect(outage.end == day.advanced(by: .seconds(10)))
        #expect(!outage.isClockSet)
        #expect(outage.jobs.map(\.id.number) == [1, 2, 3, 4])
        #expect(outage.jobs.map { outage.gap(of: $0) } == [.seconds(10), .seconds(7), .seconds(2), .zero])
    }

    @Test(arguments: [-3600.0, 3600])
    func aClockThatIsSetChangesNotItsLength(step: Double) throws {
        let outage = try #require(
            Outage(
                from: time(0, uptime: 50), to: time(10 + step, uptime: 60),
                jobs: [job(1, isRunning: true), job(2, until: 5 + step)]))
        #expect(outage.isClockSet)
        #expect(outage.end == day.advanced(by: .seconds(10 + step)))
        #expect(outage.end.since(outage.start) == .seconds(10))
        // When the second one ended nobody can tell.
        #expect(outage.jobs.map { outage.gap(of: $0) } == [.seconds(10), .seconds(10)])
    }

    @Test func aClockThatDriftsWasNotSet() throws {
        let outage = try #require(
            Outage(from: time(0, uptime: 0), to: time(86_405, uptime: 86_400), jobs: []))
        #expect(!outage.isClockSet)
        #expect(outage.start == day)
    }

    @Test func afterAnotherBootItLastsAsFarAsAnythingTells() throws {
        let jobs = [job(1, until: 20), job(2), job(3, from: 5, until: 8), job(4, boot: "older", until: 30)]
        let outage = try #require(
            Outage(from: time(0, uptime: 50), to: time(600, boot: "b", uptime: 3), jobs: jobs))
        #expect(outage.start == day)
        #expect(outage.end == day.advanced(by: .seconds(20)))
        #expect(outage.jobs.map(\.id.number) == [1, 2, 3])
        #expect(outage.jobs.map { outage.gap(of: $0) } == [.seconds(20), .seconds(20), .seconds(3)])
    }

    @Test func withoutATraceThereIsNoneToTell() {
        #expect(Outage(from: time(0, uptime: 50), to: time(600, boot: "b", uptime: 3), jobs: []) == nil)
        #expect(Outage(from: time(0, uptime: 50), to: time(600, boot: "b", uptime: 3), jobs: [job()]) == nil)
        // Later than now is a clock that was set.
        let future = Outage(from: time(0, uptime: 50), to: time(60, boot: "b", uptime: 3), jobs: [job(until: 900)])
        #expect(future?.end == day.advanced(by: .seconds(60)))
    }

    @Test func aLedgerThatKeptNoClockTellsByItsJobs() {
        let running = Outage(from: time(0, boot: nil, uptime: 0), to: time(9, uptime: 60), jobs: [job(isRunning: true)])
        #expect(running?.end == day.advanced(by: .seconds(9)))
        #expect(Outage(from: time(0, boot: nil, uptime: 0), to: time(9, uptime: 60), jobs: []) == nil)
    }

    @Test(arguments: [Int64.min, Int64.min + 1, -1, 0, Int64.max - 1, Int64.max])
    func rowsThatNobodyWroteDoNoHarm(number: Int64) {
        let now = time(0, uptime: 50)
        for boot in ["a", "b", nil] {
            for uptime in [0, max(number, 0)] {
                let last = ReadingTime(
                    at: Timestamp(microseconds: number),
                    boot: boot.map { .init(id: $0, uptime: Uptime(nanoseconds: uptime)) })
                let outage = Outage(from: last, to: now, jobs: [job(until: -1), job(isRunning: true)])
                if boot == "a", let outage { #expect(outage.end.since(outage.start) <= .seconds(50)) }
            }
        }
    }

    @Test func theClockIsKeptAsText() {
        let boot = ReadingTime.Boot(id: "5b2c", uptime: Uptime(nanoseconds: 12_345))
        #expect(ReadingTime.Boot(parsing: boot.text) == boot)
        for text in ["", " ", "5b2c", "5b2c -1", "5b2c 1 2", " 1", "5b2c 99999999999999999999", "5b2c x"] {
            #expect(ReadingTime.Boot(parsing: text) == nil)
        }
    }
}

/// What is due depends on how long ago it was done, and on nothing else.
@Suite struct BookingPaceTests {
    @Test func readingsAreWrittenAsOftenAsTheyAreWorthIt() {
        func isDue(_ seconds: Double, _ jobs: Int) -> Bool {
            BookingPace.isFlushDue(after: .seconds(seconds), jobs: jobs, domains: 2)
        }
        #expect(!isDue(59, 0) && isDue(60, 0))
        #expect(isDue(0.01, 1))
        #expect(!isDue(9.9, 1000) && isDue(10, 1000))
    }

    @Test func theBookIsClosedOftenerWhileJobsRun() {
        #expect(!BookingPace.isCloseDue(after: .seconds(59), isBusy: true))
        #expect(BookingPace.isCloseDue(after: .seconds(60), isBusy: true))
        #expect(!BookingPace.isCloseDue(after: .seconds(599), isBusy: false))
        #expect(BookingPace.isCloseDue(after: .seconds(600), isBusy: false))
    }

    @Test func whatWasLearnedIsKeptOnceAMinute() {
        #expect(!BookingPace.isKeepingDue(after: .seconds(59)))
        #expect(BookingPace.isKeepingDue(after: .seconds(60)))
    }

    /// The wall clock may be set back by an hour; this one may not.
    @Test func theUptimeOnlyRises() {
        let first = Uptime.now()
        #expect(Uptime.now().since(first) >= .zero)
        #expect(Uptime(nanoseconds: .max).since(Uptime(nanoseconds: .min)) > .zero)
        #expect(Uptime(nanoseconds: .min).since(Uptime(nanoseconds: .max)) < .zero)
    }
}
