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

    init(_ job: PendingJob, agingPerPoint: Int64) {
        // A job that may not start yet does not age.
        let joined = max(job.submittedAt, job.notBefore ?? job.submittedAt).microseconds
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
    /// Of those whose array limits how many run at once.
    var array: JobID?
}

/// The jobs that could start now, ordered by rank within user and shape, so that a planner that finds one job does not fit
/// passes over all its likes in one step, and over all of a user who has reached a limit in another.
struct WaitingLine: Sendable {
    struct Head: Comparable, Sendable {
        var rank: Rank
        var shape: Shape
        static func < (a: Head, b: Head) -> Bool { a.rank < b.rank }
        static func == (a: Head, b: Head) -> Bool { a.rank == b.rank }
    }

    struct Leader: Comparable, Sendable {
        var rank: Rank
        var uid: UInt32
        static func < (a: Leader, b: Leader) -> Bool { a.rank < b.rank }
        static func == (a: Leader, b: Leader) -> Bool { a.rank == b.rank }
    }

    struct User: Sendable {
        var jobs: [Shape: OrderedSet<Rank>] = [:]
        /// The first job of each shape.
        var heads = OrderedSet<Head>()
    }

    private(set) var users: [UInt32: User] = [:]
    /// The first job of each user.
    private(set) var leaders = OrderedSet<Leader>()

    mutating func insert(_ rank: Rank, uid: UInt32, shape: Shape) {
        change(uid: uid, shape: shape) { $0.insert(rank) }
    }

    mutating func remove(_ rank: Rank, uid: UInt32, shape: Shape) {
        change(uid: uid, shape: shape) { $0.remove(rank) }
    }

    /// Changes one list and sets right what stands above it.
    private mutating func change(uid: UInt32, shape: Shape, _ body: (inout OrderedSet<Rank>) -> Void) {
        let oldLeader = users[uid]?.heads.first
        let oldHead = users[uid]?.jobs[shape]?.first
        body(&users[uid, default: User()].jobs[shape, default: OrderedSet()])
        let newHead = users[uid]?.jobs[shape]?.first
        if oldHead != newHead {
            if let oldHead { users[uid]?.heads.remove(Head(rank: oldHead, shape: shape)) }
            if let newHead { users[uid]?.heads.insert(Head(rank: newHead, shape: shape)) }
        }
        if newHead == nil { users[uid]?.jobs[shape] = nil }
        let newLeader = users[uid]?.heads.first
        if oldLeader?.rank != newLeader?.rank {
            if let oldLeader { leaders.remove(Leader(rank: oldLeader.rank, uid: uid)) }
            if let newLeader { leaders.insert(Leader(rank: newLeader.rank, uid: uid)) }
        }
        if newLeader == nil { users[uid] = nil }
    }
}
