import JobAPI
import Policy
import Units

extension Scheduler {
    struct Decision: Sendable {
        var starts: [JobID] = []
        var blocked: PendingJob?
        var blockedOrder: WaitingLine.Order?
        var reservation: Reservation?
        /// What is left once `starts` have started.
        var free: ResourceVector
        /// The same of GPUs, and which of them those get that start.
        var cards: CardRoom
        var chosenCards: [JobID: [Int]] = [:]
        var quotas: Quotas
        /// Nil where nothing is reserved.
        var windows: WindowUse?

        fileprivate var chosen: Set<JobID> = []
        fileprivate var runningOfArray: [JobID: Int]
        /// Those that start, as far as the reservation has to know of them.
        fileprivate var started: [ActiveJob] = []
    }

    /// Kinds of jobs that a plan passes because they would run into what is reserved: of one owner, and of all.
    private static let hinderedOfOwner = 8
    private static let mostHindered = 4096

    /// Goes through the waiting jobs in order. What fits starts, until one does not: it is given a reservation, and those
    /// behind it start only if that is not touched.
    func decide(now: Timestamp, _ pauses: Pauses) -> Decision {
        var decision = Decision(
            free: free - pauses.kept, cards: cards, quotas: Quotas(limits, tallies), windows: windowUse(now: now),
            runningOfArray: activeByArray)
        useReservations(&decision, now: now, pauses)
        let isLimited = decision.quotas.isNeeded
        var looked = 0
        var hindered = 0
        var hinderedOf: [OwnerID: Int] = [:]
        var walk = Walk(line)
        while let candidate = walk.next() {
            // Most of a long queue is passed here, by its shape alone.
            if let kept = decision.reservation, !isLimited,
                isKeptOut(line[candidate.shape], now: now, decision, by: kept)
            {
                looked += 1
                if looked >= lookAhead { break }
                walk.passed(candidate)
                continue
            }
            guard let job = job(of: candidate, &walk, decision) else { continue }
            let end = job.surelyEnds(from: now)
            if let party = decision.quotas.obstacle(job, end: end) {
                decision.quotas.wait(job, active: active, now: now)
                decision.quotas.looked(at: party)
                walk.passed(candidate)
                continue
            }
            let cards = job.request.gpus == 0 ? [] : cards(for: job.shape, now: now, decision)
            if isHindered(job, on: cards, end: end, decision) {
                hindered += 1
                if hindered >= Self.mostHindered { break }
                hinderedOf[candidate.owner, default: 0] += 1
                if hinderedOf[candidate.owner, default: 0] < Self.hinderedOfOwner { walk.passed(candidate) }
                continue
            }
            if job.request.fits(in: decision.free - pauses.comingBack(before: end)),
                let cards,
                mayStart(job, on: cards, now: now, &decision.reservation)
            {
                start(job, on: cards, now: now, &decision)
                walk.took(candidate)
                continue
            }
            if decision.blocked == nil {
                decision.blocked = job
                decision.blockedOrder = candidate.order
                decision.quotas.keep(for: job)
                decision.reservation = reservation(
                    for: job, now: now, free: decision.free - pauses.comingBack(before: nil), cards: decision.cards,
                    alsoActive: decision.started)
            }
            looked += 1
            // Every job needs a CPU.
            if looked >= lookAhead || decision.free.cpus < 1 { break }
            walk.passed(candidate)
        }
        return decision
    }

    /// Whether no job of this shape can start beside the reservation.
    private func isKeptOut(_ shape: Shape, now: Timestamp, _ decision: Decision, by kept: Reservation) -> Bool {
        if isKeptOut(shape, now: now, free: decision.free, by: kept) { return true }
        guard shape.request.gpus > 0, shape.array == nil, fitsMachine(shape.request) else { return false }
        return cards(for: shape, now: now, decision) == nil
    }

    /// The same, as far as amounts tell it.
    func isKeptOut(_ shape: Shape, now: Timestamp, free: ResourceVector, by kept: Reservation) -> Bool {
        guard shape.array == nil, fitsMachine(shape.request) else { return false }
        if !shape.request.fits(in: free) { return true }
        if shape.request.fits(in: kept.spare) { return false }
        return end(of: shape, from: now, kept).map { $0 > kept.earliest } ?? true
    }

    /// The job of a candidate, if limits leave it a chance. If not, the walk knows how to go on.
    private func job(of candidate: Walk.Candidate, _ walk: inout Walk, _ decision: Decision) -> PendingJob? {
        if decision.quotas.isNeeded {
            let owner = line[candidate.owner].owner
            if decision.quotas.isFull(uid: owner.uid, project: owner.project) { return nil }
        }
        guard let job = pending[JobID(candidate.rank.id)].map(planned), fitsMachine(job.request) else {
            walk.passed(candidate)  // The machine shrank since it was accepted; it must not stop the others.
            return nil
        }
        if decision.chosen.contains(job.id) {
            walk.took(candidate)
            return nil
        }
        if let limit = job.arrayLimit, let array = job.array?.id,
            decision.runningOfArray[array, default: 0] >= limit
        {
            walk.passed(candidate)  // So do the others of its array: they are of its shape.
            return nil
        }
        return job
    }

    /// Whether a job that fits may start beside the reservation, which then has less to spare.
    private func mayStart(
        _ job: PendingJob, on cards: [Int], now: Timestamp, _ reservation: inout Reservation?
    ) -> Bool {
        guard let kept = reservation else { return true }
        if let end = end(of: job.shape, from: now, kept), end <= kept.earliest { return true }
        guard job.request.fits(in: kept.spare) else { return false }
        reservation?.spare -= job.request
        reservation?.spareCards?.take(job.request, on: cards)
        return true
    }

    private func start(_ job: PendingJob, on cards: [Int], now: Timestamp, _ decision: inout Decision) {
        let end = job.surelyEnds(from: now)
        decision.starts.append(job.id)
        decision.free -= job.request
        if job.request.gpus > 0 {
            decision.cards.take(job.request, on: cards)
            decision.chosenCards[job.id] = cards
        }
        if let array = job.array?.id { decision.runningOfArray[array, default: 0] += 1 }
        decision.windows?.add(job.request, on: cards, mayUse: bindings[job.standing].reservations, until: end)
        var active = decision.blocked == nil || decision.quotas.isNeeded ? starting(job.id, at: now) : nil
        active?.expectedEnd = end
        active?.cards = cards
        decision.quotas.take(job, active, end: end)
        if decision.blocked == nil, let active { decision.started.append(active) }
    }

    /// When `job` can start at the machine, going through the active jobs by expected end.
    ///
    /// Jobs are expected to end as their likes did, and by their limits where too little is known of those. Once the time is
    /// past at which `job` was expected to start, only limits count: what runs longer than its likes delays it no further.
    func reservation(
        for job: PendingJob, now: Timestamp, free: ResourceVector, cards: CardRoom? = nil,
        alsoActive: [ActiveJob] = [], isByLimits: Bool? = nil
    ) -> Reservation {
        let isByLimits = isByLimits ?? isOverdue(job.id, now: now)
        let active = Array(active.values) + alsoActive
        let cards = cards ?? self.cards
        guard job.request.gpus > 0, !cards.isEmpty else {
            return Reservation(for: job.request, now: now, free: free, among: active, isByLimits: isByLimits)
        }
        return Reservation(
            for: job.request, now: now, free: Room(amounts: free, cards: cards), among: active, isByLimits: isByLimits)
    }

    // MARK: - What the policy reserves

    private func windowUse(now: Timestamp) -> WindowUse? {
        guard let windows else { return nil }
        var capacity = capacity
        if !cards.isEmpty { capacity.gpus = cards.count }
        var use = WindowUse(windows, capacity: capacity, now: now)
        guard !use.isEmpty else { return nil }
        for job in active.values {
            let end = job.isHalted || job.shift != nil ? nil : job.expectedEnd.map { max($0, now) }
            use.add(job.request, on: job.cards, mayUse: bindings[job.standing].reservations, until: end)
        }
        return use
    }

    private func isHindered(_ job: PendingJob, on cards: [Int]?, end: Timestamp?, _ decision: Decision) -> Bool {
        decision.windows?.obstacle(
            job.request, on: cards, mayUse: bindings[job.standing].reservations, until: end) != nil
    }

    /// Starts what fits into what is reserved for it now, in order, before anybody else is asked: the first that waits cannot have
    /// it.
    private func useReservations(_ decision: inout Decision, now: Timestamp, _ pauses: Pauses) {
        guard let held = decision.windows?.places(at: now), !held.isEmpty else { return }
        var walk = Walk(line, only: bindings.standingsUsing(held))
        var looked = 0
        while looked < lookAhead, let candidate = walk.next() {
            guard let job = job(of: candidate, &walk, decision) else { continue }
            let end = job.surelyEnds(from: now)
            let places = bindings[job.standing].reservations
            if decision.quotas.obstacle(job, end: end) == nil,
                job.request.fits(in: decision.free - pauses.comingBack(before: end)),
                let cards = cards(for: job.shape, now: now, decision),
                decision.windows?.fitsReserved(job.request, on: cards, mayUse: places, until: end) ?? false
            {
                start(job, on: cards, now: now, &decision)
                decision.chosen.insert(job.id)
                walk.took(candidate)
            } else {
                looked += 1
                walk.passed(candidate)
            }
        }
    }
}
