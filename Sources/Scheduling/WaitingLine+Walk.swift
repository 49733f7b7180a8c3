/// Visits waiting jobs from the first to the last, told after each what to do with its likes.
struct Walk {
    struct Candidate {
        var rank: Rank
        var uid: UInt32
        var shape: Shape
        /// Whether it is the first of its shape, and so leads to the user's next shape.
        fileprivate var isHead: Bool
    }

    private let line: WaitingLine
    private var nextLeader: WaitingLine.Leader?
    /// A binary heap by rank of what comes next for the users met so far.
    private var heap: [Candidate] = []

    init(_ line: WaitingLine) {
        self.line = line
        nextLeader = line.leaders.first
    }

    mutating func next() -> Candidate? {
        if let leader = nextLeader, heap.first.map({ leader.rank < $0.rank }) ?? true {
            nextLeader = line.leaders.first(after: leader)
            guard let head = line.users[leader.uid]?.heads.first else { return nil }
            return Candidate(rank: head.rank, uid: leader.uid, shape: head.shape, isHead: true)
        }
        return pop()
    }

    /// The candidate starts: its like may too.
    mutating func took(_ candidate: Candidate) {
        passed(candidate)
        if let rank = line.users[candidate.uid]?.jobs[candidate.shape]?.first(after: candidate.rank) {
            push(Candidate(rank: rank, uid: candidate.uid, shape: candidate.shape, isHead: false))
        }
    }

    /// The candidate does not start, and so nor do its likes. Of a user who may start nothing more, say nothing at all.
    mutating func passed(_ candidate: Candidate) {
        guard candidate.isHead else { return }
        let head = WaitingLine.Head(rank: candidate.rank, shape: candidate.shape)
        if let next = line.users[candidate.uid]?.heads.first(after: head) {
            push(Candidate(rank: next.rank, uid: candidate.uid, shape: next.shape, isHead: true))
        }
    }

    // MARK: - Heap

    private mutating func push(_ candidate: Candidate) {
        heap.append(candidate)
        var index = heap.count - 1
        while index > 0, heap[index].rank < heap[(index - 1) / 2].rank {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func pop() -> Candidate? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if heap.isEmpty { return first }
        heap[0] = last
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count && heap[child].rank < heap[least].rank
            {
                least = child
            }
            if least == index { return first }
            heap.swapAt(index, least)
            index = least
        }
    }
}
