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
    /// They may be suspended, so that nobody knows when they end.
    var mayPause: Bool
    /// What is learned of their run times holds for all of them.
    var likes: UInt64
    /// Of those whose array limits how many run at once.
    var array: JobID?

    /// When their time limit would end one that starts at `now`.
    func expectedEnd(from now: Timestamp) -> Timestamp? {
        guard let timeLimit else { return nil }
        let (end, overflow) = now.microseconds.addingReportingOverflow(Int64(min(max(0, timeLimit), 9e12) * 1e6))
        return Timestamp(microseconds: overflow ? .max : end)
    }

    /// The same, but nil for those that may be suspended: standing still does not count.
    func surelyEnds(from now: Timestamp) -> Timestamp? { mayPause ? nil : expectedEnd(from: now) }
}

/// The number of a ``Shape`` in a ``WaitingLine``.
struct ShapeID: Hashable, Sendable {
    var number: Int32
}

/// Whose jobs keep their own order: those of a user for one account, one project where projects have limits, and of one standing.
struct Owner: Hashable, Sendable {
    var uid: UInt32
    var account: String
    var project = ""
    var standing = StandingID.plain
}

/// An owner's place in a ``WaitingLine``.
struct OwnerID: Hashable, Sendable {
    var number: Int32
}

/// The jobs that could start now, ordered by rank within owner and shape, so that a planner that finds one job does not fit
/// passes over all its likes in one step, and over all of a user who has reached a limit in another.
///
/// Between owners ``Order`` decides, which fair shares change from time to time: then only the first job of each owner moves.
struct WaitingLine: Sendable {
    struct Head: Comparable, Sendable {
        var rank: Rank
        var shape: ShapeID
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
        var owner: OwnerID
        static func < (a: Leader, b: Leader) -> Bool { a.order < b.order }
        static func == (a: Leader, b: Leader) -> Bool { a.order == b.order }
    }

    /// What an owner has in the line. A place here is its number, by which a plan goes: names would cost more than all its
    /// comparisons.
    struct Owned: Sendable {
        var owner: Owner
        /// Of its account, in microseconds of waiting.
        fileprivate var penalty: Int64
        fileprivate(set) var jobs: [ShapeID: OrderedSet<Rank>] = [:]
        /// The first job of each shape.
        fileprivate(set) var heads = OrderedSet<Head>()
    }

    private var shapeNumbers: [Shape: ShapeID] = [:]
    /// By number: each with how many jobs have it.
    private var shapes: ContiguousArray<(shape: Shape, count: Int)> = []
    private var vacantShapes: [ShapeID] = []
    private var numbers: [Owner: OwnerID] = [:]
    private var places: ContiguousArray<Owned> = []
    /// Places of owners who have nothing in the line any more, to be used again.
    private var vacant: [OwnerID] = []
    /// The first job of each owner, those left out that may not start now.
    private(set) var leaders = OrderedSet<Leader>()
    /// Between owners what a job has waited before this hardly counts.
    private var floor = Int64.min
    /// Of each account, in microseconds of waiting.
    private var penalties: [String: Int64] = [:]
    /// Jobs of these standings may not start now.
    private(set) var closed: Set<StandingID> = []
    /// The owners of each standing but the plain one.
    private(set) var ownersOf: [StandingID: Set<OwnerID>] = [:]

    var isEmpty: Bool { numbers.isEmpty }

    subscript(_ owner: OwnerID) -> Owned {
        _read { yield places[Int(owner.number)] }
    }

    subscript(_ shape: ShapeID) -> Shape {
        _read { yield shapes[Int(shape.number)].shape }
    }

    func order(_ rank: Rank, of owner: OwnerID) -> Order { order(rank, penalty: places[Int(owner.number)].penalty) }

    /// Where a job would stand that is not in the line.
    func order(_ rank: Rank, account: String) -> Order { order(rank, penalty: penalties[account] ?? 0) }

    private func order(_ rank: Rank, penalty: Int64) -> Order {
        var start = rank.virtualStart
        if rank.joined < floor {
            let (excess, isTooMuch) = floor.subtractingReportingOverflow(rank.joined)
            start = Self.sum(start, isTooMuch ? .max : excess - excess / FairShare.slowAgeing)
        }
        return Order(virtualStart: Self.sum(start, penalty), rank: rank)
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
        for (owner, number) in numbers {
            places[Int(number.number)].penalty = penalties[owner.account] ?? 0
            if !closed.contains(owner.standing), let leader = leader(of: number) { leaders.insert(leader) }
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
                guard let leader = leader(of: owner) else { continue }
                if isOpen { leaders.insert(leader) } else { leaders.remove(leader) }
            }
        }
    }

    private func leader(of owner: OwnerID) -> Leader? {
        self[owner].heads.first.map { Leader(order: order($0.rank, of: owner), owner: owner) }
    }

    mutating func insert(_ rank: Rank, owner: Owner, shape: Shape) {
        let shape = number(of: shape)
        if change(number(of: owner), shape, { $0.insert(rank) }) { shapes[Int(shape.number)].count += 1 }
    }

    mutating func remove(_ rank: Rank, owner: Owner, shape: Shape) {
        guard let owner = numbers[owner], let number = shapeNumbers[shape], change(owner, number, { $0.remove(rank) })
        else { return }
        shapes[Int(number.number)].count -= 1
        guard shapes[Int(number.number)].count == 0 else { return }
        shapeNumbers[shape] = nil
        vacantShapes.append(number)
    }

    private mutating func number(of shape: Shape) -> ShapeID {
        if let known = shapeNumbers[shape] { return known }
        let number: ShapeID
        if let free = vacantShapes.popLast() {
            number = free
            shapes[Int(free.number)] = (shape, 0)
        } else {
            number = ShapeID(number: Int32(clamping: shapes.count))
            shapes.append((shape, 0))
        }
        shapeNumbers[shape] = number
        return number
    }

    private mutating func number(of owner: Owner) -> OwnerID {
        if let known = numbers[owner] { return known }
        let place = Owned(owner: owner, penalty: penalties[owner.account] ?? 0)
        let number: OwnerID
        if let free = vacant.popLast() {
            number = free
            places[Int(free.number)] = place
        } else {
            number = OwnerID(number: Int32(clamping: places.count))
            places.append(place)
        }
        numbers[owner] = number
        if owner.standing != .plain { ownersOf[owner.standing, default: []].insert(number) }
        return number
    }

    /// Changes one list and sets right what stands above it.
    /// - Returns: what the change says.
    private mutating func change(_ owner: OwnerID, _ shape: ShapeID, _ body: (inout OrderedSet<Rank>) -> Bool) -> Bool {
        let index = Int(owner.number)
        let oldLeader = places[index].heads.first
        let oldHead = places[index].jobs[shape]?.first
        let result = body(&places[index].jobs[shape, default: OrderedSet()])
        let newHead = places[index].jobs[shape]?.first
        if oldHead != newHead {
            if let oldHead { places[index].heads.remove(Head(rank: oldHead, shape: shape)) }
            if let newHead { places[index].heads.insert(Head(rank: newHead, shape: shape)) }
        }
        if newHead == nil { places[index].jobs[shape] = nil }
        let newLeader = places[index].heads.first
        if oldLeader?.rank != newLeader?.rank, !closed.contains(places[index].owner.standing) {
            if let oldLeader { leaders.remove(Leader(order: order(oldLeader.rank, of: owner), owner: owner)) }
            if let newLeader { leaders.insert(Leader(order: order(newLeader.rank, of: owner), owner: owner)) }
        }
        if newLeader == nil { vacate(owner) }
        return result
    }

    private mutating func vacate(_ owner: OwnerID) {
        let name = self[owner].owner
        numbers[name] = nil
        vacant.append(owner)
        if ownersOf[name.standing]?.remove(owner) != nil, ownersOf[name.standing]?.isEmpty == true {
            ownersOf[name.standing] = nil
        }
    }
}
