/// Visits waiting jobs from the first to the last, told after each what to do with its likes.
struct Walk {
    struct Candidate {
        var order: WaitingLine.Order
        var owner: OwnerID
        var shape: ShapeID
        /// Of the first of its shape, which leads to its owner's next shape.
        fileprivate var head: OrderedSet<WaitingLine.Head>.Position?

        var rank: Rank { order.rank }
    }

    private let line: WaitingLine
    private var nextLeader: OrderedSet<WaitingLine.Leader>.Position?
    /// A binary heap of what comes next for the owners met so far.
    private var heap: [Candidate] = []
    /// The first of the heap was given away: it gives its place to what follows it.
    private var isTopTaken = false

    init(_ line: WaitingLine) {
        self.line = line
        nextLeader = line.leaders.firstPosition
    }

    /// Visits the jobs of these standings alone.
    init(_ line: WaitingLine, only standings: some Sequence<StandingID>) {
        self.line = line
        for standing in standings where !line.closed.contains(standing) {
            for owner in line.ownersOf[standing] ?? [] {
                if let first = candidate(line[owner].heads.firstPosition, of: owner) { push(first) }
            }
        }
    }

    private func candidate(_ position: OrderedSet<WaitingLine.Head>.Position?, of owner: OwnerID) -> Candidate? {
        guard let position else { return nil }
        let head = line[owner].heads[position]
        return Candidate(order: line.order(head.rank, of: owner), owner: owner, shape: head.shape, head: position)
    }

    mutating func next() -> Candidate? {
        if isTopTaken { pop() }
        if let position = nextLeader {
            let leader = line.leaders[position]
            if heap.first.map({ leader.order < $0.order }) ?? true {
                nextLeader = line.leaders.position(after: position)
                return candidate(line[leader.owner].heads.firstPosition, of: leader.owner)
            }
        }
        isTopTaken = !heap.isEmpty
        return heap.first
    }

    /// The candidate starts: its like may too.
    mutating func took(_ candidate: Candidate) {
        passed(candidate)
        if let rank = line[candidate.owner].jobs[candidate.shape]?.first(after: candidate.rank) {
            push(
                Candidate(
                    order: line.order(rank, of: candidate.owner), owner: candidate.owner, shape: candidate.shape))
        }
    }

    /// The candidate does not start, and so nor do its likes. Of a user who may start nothing more, say nothing at all.
    mutating func passed(_ candidate: Candidate) {
        guard let head = candidate.head,
            let next = self.candidate(line[candidate.owner].heads.position(after: head), of: candidate.owner)
        else { return }
        push(next)
    }

    // MARK: - Heap

    private mutating func push(_ candidate: Candidate) {
        if isTopTaken {
            isTopTaken = false
            heap[0] = candidate
            return sink()
        }
        heap.append(candidate)
        var index = heap.count - 1
        while index > 0, heap[index].order < heap[(index - 1) / 2].order {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func pop() {
        isTopTaken = false
        guard let last = heap.popLast(), !heap.isEmpty else { return }
        heap[0] = last
        sink()
    }

    private mutating func sink() {
        heap.withUnsafeMutableBufferPointer { heap in
            let moving = heap[0]
            var index = 0
            while true {
                var child = 2 * index + 1
                if child >= heap.count { break }
                if child + 1 < heap.count, heap[child + 1].order < heap[child].order { child += 1 }
                if moving.order < heap[child].order { break }
                heap[index] = heap[child]
                index = child
            }
            heap[index] = moving
        }
    }
}
