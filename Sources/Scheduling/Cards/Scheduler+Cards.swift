import JobAPI
import Policy
import Units

// GPUs are given by their places, so that of no card more memory is promised than it has.
extension Scheduler {
    /// The cards there are, with all that active jobs have of them. Which jobs may share may be another.
    mutating func adoptCards(_ policy: PolicySet, _ usable: MachineCapacity) {
        let before = cards
        cards = CardRoom(usable)
        if !cards.isEmpty { capacity.gpus = ResourceVector.untoldGPUs }
        for place in cards.cards.indices where before.count == cards.count {
            cards.cards[place].occupancy = before.cards[place].occupancy
        }
        cards.freeCPUs = before.freeCPUs
        for job in active.values { cards.take(job.request, on: job.cards) }
        sharing = policy
        for job in pending.values where job.request.card.mayShare && settled(job) != job { add(job) }
    }

    /// What is seen on each card besides what jobs declared, by place. The next plan goes by it.
    /// - Returns: whether it is news.
    @discardableResult
    package mutating func adopt(occupancies: [Int: CardOccupancy]) -> Bool {
        let before = cards
        cards.adopt(occupancies)
        return cards != before
    }

    /// How many CPUs each node of memory has free: of cards that serve alike a job gets one near those.
    package mutating func adopt(freeCPUs: [Int: Int]) { cards.freeCPUs = freeCPUs }

    /// The request as it counts under this policy: shared where job, queue and machine allow it.
    /// - Parameter shared: how it was given its GPUs before; nil where nobody knows, or it has none yet.
    package func settled(
        _ request: ResourceVector, inQueue queue: String, given shared: Bool? = nil
    ) -> ResourceVector {
        var request = request
        request.card.isShared =
            shared ?? (request.card.mayShare && sharing?.sharesGPUs(inQueue: queue) == true)
        return request
    }

    func settled(_ job: PendingJob) -> PendingJob {
        guard job.request.gpus > 0 else { return job }
        var job = job
        job.request = settled(job.request, inQueue: job.queue)
        return job
    }

    /// The cards that a job would get now; nil where it cannot have them.
    package func chooseCards(for request: ResourceVector) -> [Int]? { cards.choose(request) }

    /// Whether a job can still have the cards that a plan chose for it: a reload may have come between.
    package func canHave(_ job: ActiveJob) -> Bool {
        guard job.request.gpus > 0, !cards.isEmpty else { return true }
        guard let places = job.cards, cards.unplaced == 0 else { return false }
        return places.count == job.request.gpus && places.allSatisfy { cards.cards[$0].holds(job.request.card) }
    }

    /// Whether the machine could run it if no other job ran. Not where processes of others hold the GPUs that it needs.
    func fitsMachine(_ request: ResourceVector) -> Bool {
        request.fits(in: capacity) && (request.gpus == 0 || cards.isEmpty || cards.wouldHold(request))
    }

    /// The cards that a job of this shape would get which fits otherwise: none that are kept for another longer than it needs them. Nil
    /// where it has to wait for them.
    func cards(for shape: Shape, now: Timestamp, _ decision: Decision) -> [Int]? {
        if shape.request.gpus == 0 { return [] }
        guard let kept = decision.reservation, !(end(of: shape, from: now, kept).map { $0 <= kept.earliest } ?? false)
        else { return decision.cards.choose(shape.request) }
        return decision.cards.choose(shape.request, later: kept.spareCards)
    }
}

extension Scheduler.Decision {
    /// Whether as much is free as a job asks for, whoever is ahead of it.
    func holds(_ request: ResourceVector) -> Bool { request.fits(in: free) && cards.holds(request) }
}
