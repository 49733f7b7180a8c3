import JobAPI
import Units

/// A job's place in the order: smaller is sooner.
///
/// Ageing makes no job move: with one point of priority worth `agingPerPoint` of waiting, `priority + waited / aging` of any
/// two jobs differs by the same amount at all times, so that the order is fixed when the job joins.
struct Rank: Comparable, Hashable, Sendable {
    /// When a job of priority 0 would have had to join to stand here, in microseconds.
    var virtualStart: Int64
    var id: Int64
    /// Since when it ages.
    var joined: Int64

    init(_ job: PendingJob, agingPerPoint: Int64) {
        // A job that may not start yet does not age.
        joined = max(job.submittedAt, job.notBefore ?? job.submittedAt).microseconds
        let (bonus, tooBig) = Int64(job.priority).multipliedReportingOverflow(by: agingPerPoint)
        let (start, tooFar) = joined.subtractingReportingOverflow(tooBig ? 0 : bonus)
        virtualStart = tooFar ? joined : start
        id = job.id.number
    }

    static func < (a: Rank, b: Rank) -> Bool {
        a.virtualStart == b.virtualStart ? a.id < b.id : a.virtualStart < b.virtualStart
    }
}

/// What makes two jobs of a user equal to the planner: when one cannot start, neither can the other.
struct Shape: Hashable, Sendable {
    var request: ResourceVector
    var timeLimit: Double?
    /// What is learned of their run times holds for all of them.
    var likes: UInt64
    /// Of those whose array limits how many run at once.
    var array: JobID?
}

/// Whose jobs keep their own order: those of a user for one account, one project where projects have limits, and of one standing.
struct Owner: Hashable, Sendable {
    var uid: UInt32
    var account: String
    var project = ""
    var standing = StandingID.plain
}

/// The jobs that could start now, ordered by rank within owner and shape, so that a planner that finds one job does not fit
/// passes over all its likes in one step, and over all of a user who has reached a limit in another.
///
/// Between owners ``Order`` decides, which fair shares change from time to time: then only the first job of each owner moves.
struct WaitingLine: Sendable {
    struct Head: Comparable, Sendable {
        var rank: Rank
        var shape: Shape
        static func < (a: Head, b: Head) -> Bool { a.rank < b.rank }
        static func == (a: Head, b: Head) -> Bool { a.rank == b.rank }
    }

    /// A job's place among those of all owners.
    struct Order: Comparable, Hashable, Sendable {
        /// Its virtual start without most of the age before the line's floor, and later by what its account has used.
        var virtualStart: Int64
        var rank: Rank

        static func < (a: Order, b: Order) -> Bool {
            a.virtualStart == b.virtualStart ? a.rank < b.rank : a.virtualStart < b.virtualStart
        }
    }

    struct Leader: Comparable, Sendable {
        var order: Order
        var owner: Owner
        static func < (a: Leader, b: Leader) -> Bool { a.order < b.order }
        static func == (a: Leader, b: Leader) -> Bool { a.order == b.order }
    }

    struct Owned: Sendable {
        var jobs: [Shape: OrderedSet<Rank>] = [:]
        /// The first job of each shape.
        var heads = OrderedSet<Head>()
    }

    private(set) var owners: [Owner: Owned] = [:]
    /// The first job of each owner, those left out that may not start now.
    private(set) var leaders = OrderedSet<Leader>()
    /// Between owners what a job has waited before this hardly counts.
    private var floor = Int64.min
    /// Of each account, in microseconds of waiting.
    private var penalties: [String: Int64] = [:]
    /// Jobs of these standings may not start now.
    private(set) var closed: Set<StandingID> = []
    /// The owners of each standing but the plain one.
    private(set) var ownersOf: [StandingID: Set<Owner>] = [:]

    func order(_ rank: Rank, of owner: Owner) -> Order {
        var start = rank.virtualStart
        if rank.joined < floor {
            let (excess, isTooMuch) = floor.subtractingReportingOverflow(rank.joined)
            start = Self.sum(start, isTooMuch ? .max : excess - excess / FairShare.slowAgeing)
        }
        return Order(virtualStart: Self.sum(start, penalties[owner.account] ?? 0), rank: rank)
    }

    private static func sum(_ a: Int64, _ b: Int64) -> Int64 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? .max : sum
    }

    /// Sets what stands between owners. Costs O(log n) of the owners for each of them.
    mutating func reorder(floor: Int64, penalties: [String: Int64]) {
        self.floor = floor
        self.penalties = penalties
        leaders = OrderedSet()
        for (owner, owned) in owners where !closed.contains(owner.standing) {
            if let first = owned.heads.first {
                leaders.insert(Leader(order: order(first.rank, of: owner), owner: owner))
            }
        }
    }

    /// From now on jobs of these standings, and no others, may not start. Costs O(log n) for each of their owners, however many
    /// jobs those have.
    mutating func close(_ standings: Set<StandingID>) {
        let changed = standings.symmetricDifference(closed)
        closed = standings
        for standing in changed {
            let isOpen = !standings.contains(standing)
            for owner in ownersOf[standing] ?? [] {
                guard let first = owners[owner]?.heads.first else { continue }
                let leader = Leader(order: order(first.rank, of: owner), owner: owner)
                if isOpen { leaders.insert(leader) } else { leaders.remove(leader) }
            }
        }
    }

    mutating func insert(_ rank: Rank, owner: Owner, shape: Shape) {
        change(owner, shape: shape) { $0.insert(rank) }
    }

    mutating func remove(_ rank: Rank, owner: Owner, shape: Shape) {
        change(owner, shape: shape) { $0.remove(rank) }
    }

    /// Changes one list and sets right what stands above it.
    private mutating func change(_ owner: Owner, shape: Shape, _ body: (inout OrderedSet<Rank>) -> Void) {
        let oldLeader = owners[owner]?.heads.first
        let oldHead = owners[owner]?.jobs[shape]?.first
        body(&owners[owner, default: Owned()].jobs[shape, default: OrderedSet()])
        let newHead = owners[owner]?.jobs[shape]?.first
        if oldHead != newHead {
            if let oldHead { owners[owner]?.heads.remove(Head(rank: oldHead, shape: shape)) }
            if let newHead { owners[owner]?.heads.insert(Head(rank: newHead, shape: shape)) }
        }
        if newHead == nil { owners[owner]?.jobs[shape] = nil }
        let newLeader = owners[owner]?.heads.first
        if oldLeader?.rank != newLeader?.rank, !closed.contains(owner.standing) {
            if let oldLeader { leaders.remove(Leader(order: order(oldLeader.rank, of: owner), owner: owner)) }
            if let newLeader { leaders.insert(Leader(order: order(newLeader.rank, of: owner), owner: owner)) }
        }
        if oldLeader == nil, newLeader != nil, owner.standing != .plain {
            ownersOf[owner.standing, default: []].insert(owner)
        }
        guard newLeader == nil else { return }
        owners[owner] = nil
        if ownersOf[owner.standing]?.remove(owner) != nil, ownersOf[owner.standing]?.isEmpty == true {
            ownersOf[owner.standing] = nil
        }
    }
}
