import JobAPI
import Policy
import TestSupport
import Testing
import Units

@testable import Scheduling

/// What the policy reserves is free for those it is for.
@Suite struct ReservationTests {
    /// From t(1000) to t(2000).
    private static let course = """
        [reservation.course]
        start = "2023-11-14T22:30:00Z"
        end = "2023-11-14T22:46:40Z"
        cpus = 3
        group = "students"
        """

    private func scheduler(_ text: String, cpus: Int = 4) throws -> Scheduler {
        var scheduler = try Scheduler(text, cpus: cpus)
        scheduler.know(Submitter(uid: 1, user: "ada", groups: ["staff"]))
        scheduler.know(Submitter(uid: 2, user: "bob", groups: ["students"]))
        return scheduler
    }

    @Test func othersDoNotRunIntoTheWindow() throws {
        var scheduler = try scheduler(Self.course)
        scheduler.add(waiting(1, vector(2), uid: 1, at: 0))
        scheduler.add(waiting(2, vector(2), uid: 1, at: 1, limit: 1200))
        scheduler.add(waiting(3, vector(2), uid: 1, at: 2, limit: 900))
        scheduler.add(waiting(4, vector(1), uid: 1, at: 3))
        // Job 3 ends before; job 4 takes what nobody reserved.
        #expect(scheduler.run(at: 10) == [3, 4])
        #expect(
            scheduler.text(1, at: 10)
                == "reservation \"course\" (p.toml:3) keeps 3 cpus from 2023-11-14T22:30:00Z until 2023-11-14T22:46:40Z;"
                + " without a time limit it might run into that")
        #expect(scheduler.hint(2, at: 10) == "with a time limit of at most 16 min 30 s it would not be in its way")
        #expect(scheduler.plan(now: t(11)).wakeAt == t(1000))
        scheduler.ended(JobID(3))
        scheduler.add(waiting(5, vector(3), uid: 2, at: 1000))
        #expect(scheduler.run(at: 1000) == [5])
        #expect(scheduler.hint(2, at: 1000) == "it may start after 2023-11-14T22:46:40Z")
        #expect(scheduler.plan(now: t(1001)).wakeAt == t(2000))
        scheduler.ended(JobID(4))
        scheduler.ended(JobID(5))
        #expect(scheduler.run(at: 2000) == [1, 2])
    }

    /// The first that waits cannot have what is reserved, so that it keeps nobody from it whom it is for.
    @Test func thoseItIsForDoNotWaitBehindOthers() throws {
        var scheduler = try scheduler(Self.course)
        for id in 1...300 as ClosedRange<Int64> {
            scheduler.add(waiting(id, vector(4), uid: 1, at: 0, limit: Double(5000 + id)))
        }
        scheduler.add(waiting(900, vector(2), uid: 2, at: 1000))
        #expect(scheduler.run(at: 1000) == [900])
        // It has no more than that; what is free for all goes by the order.
        scheduler.add(waiting(901, vector(2), uid: 2, at: 1001))
        #expect(scheduler.run(at: 1001) == [901])
    }

    @Test func twoAtATimeAreKeptBesidesEachOther() throws {
        var scheduler = try scheduler(
            Self.course + """

                [reservation.paper]
                start = "2023-11-14T22:30:00Z"
                end = "2023-11-14T22:46:40Z"
                cpus = 3
                user = "ada"
                """, cpus: 8)
        scheduler.add(waiting(1, vector(5), uid: 1, at: 1000))
        scheduler.add(waiting(2, vector(5), uid: 2, at: 1001))
        scheduler.add(waiting(3, vector(3), uid: 2, at: 1002))
        // Bob has his three, Ada hers and the two that are free for all.
        #expect(scheduler.run(at: 1010) == [3, 1])
        #expect(scheduler.text(2, at: 1010)?.contains("reservation \"paper\"") == true)
    }

    /// The sum of what they keep is no number.
    @Test func moreThanAnyNumberIsKeptAllTheSame() throws {
        let always = "weekday = \"mon-sun\"\ncpus = 1\nmemory = \"1 GiB\"\n"
        var rules = try policy("[reservation.a]\nuser = \"ada\"\n\(always)[reservation.b]\nuser = \"eve\"\n\(always)")
        for place in rules.reservations.indices { rules.reservations[place].memory = Setting(ByteSize(bytes: .max)) }
        var scheduler = Scheduler(policy: rules, machine: MachineCapacity(cpus: 8, memory: .gibibytes(64), gpus: 0))
        scheduler.know(Submitter(uid: 1, user: "ada", groups: []))
        scheduler.know(Submitter(uid: 2, user: "bob", groups: []))
        scheduler.add(waiting(1, uid: 2, at: 0))
        scheduler.add(waiting(2, uid: 1, at: 1))
        #expect(scheduler.run(at: 2) == [2])
        #expect(scheduler.text(1, at: 2)?.hasPrefix("reservation \"a\"") == true)
    }

    @Test func theNextOfARecurringOneCounts() throws {
        // 2023-11-15 is a Wednesday.
        var scheduler = try scheduler(
            "[reservation.class]\nweekday = \"wed\"\nhour = \"08-10\"\ncpus = 4\nproject = \"course\"\n")
        scheduler.add(waiting(1, uid: 1, at: 0))
        scheduler.add(waiting(2, uid: 1, project: "course", at: 1))
        scheduler.add(waiting(3, uid: 1, at: 2, limit: 3600))
        #expect(scheduler.run(at: 3) == [2, 3])
        #expect(
            scheduler.text(1, at: 3)?.contains("keeps 4 cpus from 2023-11-15T08:00:00Z until 2023-11-15T10:00:00Z")
                == true)
    }

    private static let many = """
        [reservation.course]
        weekday = ["tue", "wed", "fri"]
        hour = "08-10"
        cpus = 6
        memory = "16 GiB"
        group = "students"
        [reservation.paper]
        start = "2023-11-15T09:00:00Z"
        end = "2023-11-17T12:00:00Z"
        cpus = 4
        gpus = 1
        user = "ada"
        """

    /// At the beginning of each window, and throughout it, what is reserved is there for those it is for, less what they use
    /// themselves: under any load, as long as all end by their limits.
    @Test(arguments: Array(1...16) as [UInt64])
    func whatIsReservedIsFreeForItsOwners(seed: UInt64) throws {
        var random = Seeded(seed)
        let capacity = vector(16, gib: 64, gpus: 2)
        var scheduler = try Scheduler(Self.many, cpus: 16, gib: 64, gpus: 2)
        let rules = try policy(Self.many)
        let people = [
            Submitter(uid: 1, user: "ada", groups: ["staff"]), Submitter(uid: 2, user: "bob", groups: ["students"]),
            Submitter(uid: 3, user: "eve", groups: []),
        ]
        for person in people { scheduler.know(person) }
        var next: Int64 = 1
        var (checked, used, starts) = (0, 0, 0)
        for step in 0..<1200 {
            let now = t(Double(step) * 300)
            for id in scheduler.active.keys.sorted() {
                if let job = scheduler.active[id], job.expectedEnd.map({ $0 <= now }) ?? false { scheduler.ended(id) }
            }
            for id in scheduler.active.keys.sorted() where Int.random(in: 0..<40, using: &random) == 0 {
                scheduler.ended(id)
            }
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                let limits: [Double?] = [nil, 600, 3600, 20_000, 100_000]
                scheduler.add(
                    waiting(
                        next,
                        vector(
                            Int.random(in: 1...6, using: &random), gib: Int64.random(in: 1...8, using: &random),
                            gpus: [0, 0, 1].randomElement(using: &random) ?? 0),
                        uid: UInt32.random(in: 1...3, using: &random), at: Double(step) * 300,
                        limit: limits.randomElement(using: &random) ?? nil))
                next += 1
            }
            let plan = scheduler.plan(now: now)
            for id in plan.starts {
                if let job = scheduler.starting(id, at: now) { scheduler.started(job) }
                starts += 1
            }
            let holds = rules.reservations.filter { $0.isActive(at: now) }
            for reservation in holds {
                checked += 1
                let owners = people.filter {
                    reservation.audience.includes(user: $0.user, groups: $0.groups, project: "")
                }
                let uids = Set(owners.map(\.uid))
                let others = scheduler.active.values.filter { !uids.contains($0.uid) }
                    .reduce(ResourceVector.zero) { $0 + $1.request }
                #expect(others.fits(in: capacity - reservation.kept), "seed \(seed), step \(step)")
                if scheduler.active.values.contains(where: { uids.contains($0.uid) }) { used += 1 }
            }
            // Both at once: those in neither leave both.
            if holds.count == 2 {
                let others = scheduler.active.values.filter { $0.uid == 3 }.reduce(ResourceVector.zero) {
                    $0 + $1.request
                }
                #expect(others.fits(in: capacity - holds[0].kept - holds[1].kept), "seed \(seed), step \(step)")
            }
            #expect(scheduler.active.values.reduce(ResourceVector.zero) { $0 + $1.held }.fits(in: capacity))
        }
        #expect(checked > 100 && used > 50 && starts > 100, "\(checked) \(used) \(starts)")
    }

    @Test func sameInputsSamePlan() throws {
        func run() throws -> [[Int64]] {
            var random = Seeded(5)
            var scheduler = try scheduler(Self.many, cpus: 16)
            return (0..<300).map { step in
                let now = Double(step) * 900
                scheduler.add(
                    waiting(
                        Int64(step + 1), vector(Int.random(in: 1...4, using: &random)),
                        uid: UInt32.random(in: 1...3, using: &random), at: now, limit: 3000))
                for job in scheduler.active.values where job.expectedEnd.map({ $0 <= t(now) }) ?? false {
                    scheduler.ended(job.id)
                }
                return scheduler.run(at: now)
            }
        }
        #expect(try run() == run())
    }
}
