import JobAPI
import Policy
import Testing
import Units

@testable import Scheduling

/// A machine of cards, given as model and GiB; two of each node.
func cards(_ kinds: (String, Int64)...) -> MachineCapacity {
    MachineCapacity(
        cpus: 16, memory: .gibibytes(256), gpus: kinds.count,
        cards: kinds.enumerated().map { place, kind in
            .init(model: kind.0, vendor: "nvidia", memory: .gibibytes(kind.1), node: place / 2)
        })
}

private let sharing = "[machine]\nreserve-memory = \"0 B\"\ngpu-share = \"memory\"\n"

extension MachineCapacity {
    func asking(_ gpus: Int = 1, gib: Int64? = nil, model: String? = nil, share: Bool? = nil) -> ResourceVector {
        request(
            .init(gpus: gpus, gpuMemory: gib.map(ByteSize.gibibytes), gpuModel: model, gpuShare: share, timeLimit: nil))
    }
}

/// Which GPUs jobs get, and how they have them together.
@Suite struct CardTests {
    private let machine = cards(
        ("NVIDIA A100-SXM4-40GB", 40), ("NVIDIA A100-SXM4-40GB", 40), ("Tesla T4", 16), ("Tesla T4", 16))

    private func scheduler(_ text: String = sharing) throws -> Scheduler {
        Scheduler(policy: try policy(text), machine: machine)
    }

    private func places(_ id: Int64, _ scheduler: Scheduler) -> [Int]? { scheduler.active[JobID(id)]?.cards }

    @Test func declaredMemoryIsPutTogetherUntilACardIsFull() throws {
        var scheduler = try scheduler()
        for id in 1...4 as ClosedRange<Int64> { scheduler.add(waiting(id, machine.asking(gib: 10, model: "A100"))) }
        for id in 5...9 as ClosedRange<Int64> { scheduler.add(waiting(id, machine.asking(gib: 15, model: "a100"))) }
        #expect(scheduler.run(at: 0) == [1, 2, 3, 4, 5, 6])
        for id in 1...4 as ClosedRange<Int64> { #expect(places(id, scheduler) == [0]) }
        for id in 5...6 as ClosedRange<Int64> { #expect(places(id, scheduler) == [1]) }
        let text = try #require(scheduler.text(7, at: 0))
        #expect(
            text.hasPrefix(
                "waits for 5 GiB more on a gpu of model NVIDIA A100-SXM4-40GB: held by jobs 1, 2, 3, 4, 5 and 1 more"),
            "\(text)")
        #expect(
            scheduler.smallestChange(for: JobID(7), now: t(0))
                == "with 10 GiB of gpu memory instead of 15 GiB it would start now")
        scheduler.ended(JobID(2))
        // Ten are not fifteen.
        #expect(scheduler.run(at: 1) == [])
        scheduler.ended(JobID(6))
        #expect(scheduler.run(at: 2) == [7])
        #expect(places(7, scheduler) == [1])
    }

    @Test func onlyThoseShareThatBothMay() throws {
        let text = sharing + "[queue.batch]\ndefault = true\n[queue.alone]\ngpu-share = false\n"
        var scheduler = try scheduler(text)
        scheduler.add(waiting(1, machine.asking(gib: 4, model: "T4")))
        scheduler.add(waiting(2, machine.asking(gib: 4, model: "T4", share: false)))
        scheduler.add(waiting(3, machine.asking(gib: 4, model: "T4", share: false)))
        #expect(scheduler.run(at: 0) == [1, 2])
        #expect(places(1, scheduler) == [2] && places(2, scheduler) == [3])
        #expect(
            scheduler.text(3, at: 0)?.hasPrefix("waits for 1 of 1 gpu of model Tesla T4 with 4 GiB: held by jobs 1, 2")
                == true)
        scheduler.remove(JobID(3))
        scheduler.add(waiting(4, machine.asking(gib: 4, model: "T4"), queue: "alone"))
        #expect(scheduler.run(at: 0) == [])
        // Without a word on memory a job needs all of a card.
        scheduler.add(waiting(5, machine.asking(model: "T4"), at: 1))
        #expect(scheduler.run(at: 1) == [])
        scheduler.remove(JobID(4))
        scheduler.add(waiting(6, machine.asking(gib: 12, model: "T4"), at: 2, limit: 10))
        // Beside the first; but what becomes free is kept for the one without a word.
        #expect(scheduler.run(at: 2) == [])
        scheduler.remove(JobID(5))
        #expect(scheduler.run(at: 3) == [6])
        #expect(places(6, scheduler) == [2])
    }

    @Test func withoutThePolicyEachCardHasOneJob() throws {
        var scheduler = try scheduler("[machine]\nreserve-memory = \"0 B\"\n")
        for id in 1...3 as ClosedRange<Int64> { scheduler.add(waiting(id, machine.asking(gib: 4, model: "T4"))) }
        #expect(scheduler.run(at: 0) == [1, 2])
        // A reload lets those share that start from then on.
        scheduler.adopt(policy: try policy(sharing), machine: machine)
        #expect(scheduler.run(at: 1) == [])
        scheduler.ended(JobID(1))
        scheduler.add(waiting(4, machine.asking(gib: 4, model: "T4")))
        #expect(scheduler.run(at: 2) == [3, 4])
        scheduler.adopt(policy: try policy("[machine]\nreserve-memory = \"0 B\"\n"), machine: machine)
        scheduler.add(waiting(5, machine.asking(gib: 4, model: "T4")))
        #expect(scheduler.run(at: 3) == [])
        #expect(places(3, scheduler) == places(4, scheduler))
    }

    @Test func modelsAreMeantByTheirWords() throws {
        var scheduler = try scheduler()
        for (id, model) in [(1, "A100 sxm4"), (2, "nvidia-a100"), (3, "A10"), (4, "t4")] as [(Int64, String)] {
            scheduler.add(waiting(id, machine.asking(model: model)))
        }
        #expect(scheduler.run(at: 0) == [1, 2, 4])
        #expect(
            scheduler.text(3, at: 0)
                == "waits for 1 gpu of model that is not here; the gpus here are NVIDIA A100-SXM4-40GB and Tesla T4")
        // All of one model, or none.
        scheduler.add(waiting(5, machine.asking(2, model: "T4")))
        #expect(scheduler.run(at: 1) == [])
        scheduler.ended(JobID(4))
        #expect(scheduler.run(at: 2) == [5])
        #expect(places(5, scheduler) == [2, 3])
    }

    @Test func severalAreOfOneModelAndNodeWhereTheyCan() throws {
        let mixed = cards(("A", 40), ("B", 40), ("A", 40), ("B", 40))
        var scheduler = Scheduler(policy: try policy(sharing), machine: mixed)
        scheduler.add(waiting(1, mixed.asking(2)))
        #expect(scheduler.run(at: 0) == [1])
        #expect(places(1, scheduler) == [0, 2])
        scheduler.add(waiting(2, mixed.asking(1)))
        scheduler.add(waiting(3, mixed.asking(1)))
        #expect(scheduler.run(at: 0) == [2, 3])
        var other = Scheduler(policy: try policy(sharing), machine: cards(("A", 40), ("A", 40), ("A", 40), ("A", 40)))
        other.add(waiting(1, mixed.asking(1)))
        other.add(waiting(2, mixed.asking(2)))
        #expect(other.run(at: 0) == [1, 2])
        // Both on node 1, though node 0 has one left as well.
        #expect(places(2, other) == [2, 3])
        // The smallest that will do, and near free CPUs.
        var plain = try self.scheduler()
        plain.adopt(freeCPUs: [0: 1, 1: 8])
        plain.add(waiting(1, machine.asking(gib: 8)))
        #expect(plain.run(at: 0) == [1])
        #expect(places(1, plain) == [2])
        var alike = Scheduler(policy: try policy(sharing), machine: cards(("A", 40), ("A", 40), ("A", 40), ("A", 40)))
        alike.adopt(freeCPUs: [0: 1, 1: 8])
        var near = mixed.asking(gib: 8, share: false)
        near.cpus = 4
        alike.add(waiting(1, near))
        #expect(alike.run(at: 0) == [1])
        #expect(places(1, alike) == [2])
    }

    @Test func whatOthersHoldIsTakenOffAndAvoided() throws {
        var scheduler = try scheduler()
        scheduler.adopt(occupancies: [2: CardOccupancy(foreign: .gibibytes(6), isForeign: true)])
        scheduler.add(waiting(1, machine.asking(model: "T4")))
        scheduler.add(waiting(2, machine.asking(gib: 11, model: "T4")))
        scheduler.add(waiting(3, machine.asking(gib: 10, model: "T4"), at: 1))
        #expect(scheduler.run(at: 1) == [1, 3])
        #expect(places(1, scheduler) == [3] && places(3, scheduler) == [2])
        scheduler.ended(JobID(1))
        scheduler.ended(JobID(3))
        // Where all are in use by others it is no reason to wait for one who wants a card and says not how much.
        let both = CardOccupancy(foreign: .gibibytes(6), isForeign: true)
        scheduler.adopt(occupancies: [2: both, 3: both])
        scheduler.add(waiting(4, machine.asking(model: "T4"), at: 2))
        scheduler.add(waiting(5, machine.asking(gib: 1, model: "T4"), at: 2))
        #expect(scheduler.run(at: 2) == [4, 5])
        // One that cannot start until they leave keeps nothing from anybody.
        let text = try #require(scheduler.text(2, at: 2))
        #expect(
            text == "waits for 1 gpu of model Tesla T4 with 11 GiB: processes that are no job's hold 6 GiB of gpu 2; "
                + "processes that are no job's hold 6 GiB of gpu 3")
        scheduler.ended(JobID(4))
        scheduler.ended(JobID(5))
        scheduler.adopt(occupancies: [2: both])
        #expect(scheduler.run(at: 3) == [2])
    }

    @Test func whatAJobHoldsBeyondItsWordIsNobodyElses() throws {
        var scheduler = try scheduler()
        scheduler.add(waiting(1, machine.asking(gib: 4, model: "T4")))
        scheduler.add(waiting(2, machine.asking(gib: 16, model: "T4")))
        #expect(scheduler.run(at: 0) == [1, 2])
        scheduler.adopt(occupancies: [2: CardOccupancy(beyond: .gibibytes(9))])
        scheduler.add(waiting(3, machine.asking(gib: 4, model: "T4")))
        #expect(scheduler.run(at: 1) == [])
        #expect(scheduler.text(3, at: 1)?.contains("jobs hold 9 GiB more than they declared of gpu 2") == true)
        // It goes with the job.
        scheduler.ended(JobID(1))
        #expect(scheduler.run(at: 2) == [3])
    }

    @Test func theCardOfAJobWithoutARecordIsGivenToNobody() throws {
        var scheduler = try scheduler()
        scheduler.started(ActiveJob(id: JobID(1), uid: 1, request: machine.asking(), startedAt: t(0)))
        scheduler.add(waiting(2, machine.asking()))
        scheduler.add(waiting(3, vector(1)))
        #expect(scheduler.run(at: 0) == [3])
        #expect(scheduler.text(2, at: 0)?.contains("without a record of its gpus") == true)
        scheduler.ended(JobID(1))
        #expect(scheduler.run(at: 1) == [2])
    }

    /// The card that is kept is the one that comes free first, and others may have the rest meanwhile.
    @Test func aReservationIsOfCertainCards() throws {
        var scheduler = try scheduler()
        scheduler.add(waiting(1, machine.asking(model: "T4"), limit: 100))
        scheduler.add(waiting(2, machine.asking(model: "T4"), limit: 50))
        scheduler.add(waiting(3, machine.asking(2, model: "A100"), limit: 30))
        #expect(scheduler.run(at: 0) == [1, 2, 3])
        scheduler.add(waiting(4, machine.asking(gib: 12, model: "T4"), at: 1, limit: 500))
        // Beside the first that waits there is room on its card; elsewhere too much.
        scheduler.add(waiting(5, machine.asking(gib: 6), at: 2, limit: 500))
        scheduler.add(waiting(6, machine.asking(gib: 30, model: "A100"), at: 3, limit: 500))
        let plan = scheduler.plan(now: t(3))
        #expect(plan.starts == [] && plan.blocked == JobID(4) && plan.reservedFor == t(50))
        scheduler.ended(JobID(3))
        #expect(scheduler.run(at: 30) == [5, 6])
        #expect(places(5, scheduler) == [0] && places(6, scheduler) == [0])
        #expect(
            scheduler.expectedStart(of: waiting(9, machine.asking(2, model: "T4"), at: 40, limit: 10), now: t(40)).at
                == t(550))
        scheduler.ended(JobID(2))
        #expect(scheduler.run(at: 50) == [4])
        #expect(places(4, scheduler) == [3])
    }

    /// A course of which each has a part of the GPU that is kept for it; others may share what nobody reserved.
    @Test func aSharedCardIsOneToAReservation() throws {
        let text = sharing + "[reservation.course]\nweekday = \"mon-sun\"\ngpus = 1\nuser = \"u2\"\n"
        let two = cards(("T4", 16), ("T4", 16))
        var scheduler = Scheduler(policy: try policy(text), machine: two)
        for uid in 1...2 as ClosedRange<UInt32> { scheduler.know(Submitter(uid: uid, user: "u\(uid)", groups: [])) }
        for id in 1...4 as ClosedRange<Int64> { scheduler.add(waiting(id, two.asking(gib: 8), uid: 1)) }
        // Two on the card that is free for all; the other is the course's.
        #expect(scheduler.run(at: 0) == [1, 2])
        #expect(
            scheduler.text(3, at: 0)?.contains("reservation \"course\"") == true, "\(scheduler.text(3, at: 0) ?? "")")
        for id in 11...14 as ClosedRange<Int64> { scheduler.add(waiting(id, two.asking(gib: 4), uid: 2, at: 1)) }
        #expect(scheduler.run(at: 1) == [11, 12, 13, 14])
        for id in 11...14 as ClosedRange<Int64> { #expect(places(id, scheduler) == [1]) }
    }

    @Test func victimsAreThoseWhoseCardsItNeeds() throws {
        var scheduler = try scheduler()
        for id in 1...2 as ClosedRange<Int64> { scheduler.add(waiting(id, machine.asking(model: "T4"))) }
        scheduler.add(waiting(3, machine.asking(2, model: "A100")))
        #expect(scheduler.run(at: 0) == [1, 2, 3])
        scheduler.add(waiting(4, machine.asking(gib: 30, model: "A100"), priority: 100, at: 1))
        let jobs = (1...3 as ClosedRange<Int64>).map {
            Scheduler.Stoppable(pending: waiting($0), attempt: 1, atStake: Double($0), isStopping: false)
        }
        #expect(scheduler.plan(now: t(1)).blocked == JobID(4))
        #expect(scheduler.victims(for: JobID(4), among: jobs, now: t(1)) == [JobID(3)])
    }

    @Test func aModelIsNoPartOfAWord() {
        let name = "NVIDIA A100-SXM4-40GB"
        for text in ["A100", "a100", "A100-SXM4", "nvidia a100 sxm4 40gb", " a100 "] {
            #expect(GPUModel(text).matches(name), "\(text)")
        }
        for text in ["A10", "100", "SXM", "A100 40GB", "", "-", "H100"] {
            #expect(!GPUModel(text).matches(name), "\(text)")
        }
        #expect(
            GPUModel.problem("--") != nil && GPUModel.problem("A\u{1B}[2J") != nil
                && GPUModel.problem("RTX 3090") == nil)
        #expect(GPUModel.problem(String(repeating: "x", count: 101)) != nil)
    }
}
