/// Visits waiting jobs from the first to the last, told after each what to do with its likes.
struct Walk {
    struct Candidate {
        var order: WaitingLine.Order
        var owner: OwnerID
        var shape: Shape
        /// Whether it is the first of its shape, and so leads to its owner's next shape.
        fileprivate var isHead: Bool

        var rank: Rank { order.rank }
    }

    private let line: WaitingLine
    private var nextLeader: WaitingLine.Leader?
    /// A binary heap of what comes next for the owners met so far. What moves in it is small.
    private var heap: [Entry] = []
    private var candidates: [Candidate] = []

    private struct Entry {
        var order: WaitingLine.Order
        /// In `candidates`.
        var index: Int
    }

    init(_ line: WaitingLine) {
        self.line = line
        nextLeader = line.leaders.first
    }

    /// Visits the jobs of these standings alone.
    init(_ line: WaitingLine, only standings: some Sequence<StandingID>) {
        self.line = line
        for standing in standings where !line.closed.contains(standing) {
            for owner in line.ownersOf[standing] ?? [] {
                guard let head = line[owner].heads.first else { continue }
                push(
                    Candidate(
                        order: line.order(head.rank, of: owner), owner: owner, shape: head.shape, isHead: true))
            }
        }
    }

    mutating func next() -> Candidate? {
        if let leader = nextLeader, heap.first.map({ leader.order < $0.order }) ?? true {
            nextLeader = line.leaders.first(after: leader)
            guard let head = line[leader.owner].heads.first else { return nil }
            return Candidate(order: leader.order, owner: leader.owner, shape: head.shape, isHead: true)
        }
        return pop()
    }

    /// The candidate starts: its like may too.
    mutating func took(_ candidate: Candidate) {
        passed(candidate)
        if let rank = line[candidate.owner].jobs[candidate.shape]?.first(after: candidate.rank) {
            push(
                Candidate(
                    order: line.order(rank, of: candidate.owner), owner: candidate.owner, shape: candidate.shape,
                    isHead: false))
        }
    }

    /// The candidate does not start, and so nor do its likes. Of a user who may start nothing more, say nothing at all.
    mutating func passed(_ candidate: Candidate) {
        guard candidate.isHead else { return }
        let head = WaitingLine.Head(rank: candidate.rank, shape: candidate.shape)
        if let next = line[candidate.owner].heads.first(after: head) {
            push(
                Candidate(
                    order: line.order(next.rank, of: candidate.owner), owner: candidate.owner, shape: next.shape,
                    isHead: true))
        }
    }

    // MARK: - Heap

    private mutating func push(_ candidate: Candidate) {
        heap.append(Entry(order: candidate.order, index: candidates.count))
        candidates.append(candidate)
        var index = heap.count - 1
        while index > 0, heap[index].order < heap[(index - 1) / 2].order {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func pop() -> Candidate? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        let candidate = candidates[first.index]
        if heap.isEmpty { return candidate }
        heap[0] = last
        var index = 0
        while true {
            var least = index
            for child in (2 * index + 1)...(2 * index + 2)
            where child < heap.count && heap[child].order < heap[least].order {
                least = child
            }
            if least == index { return candidate }
            heap.swapAt(index, least)
            index = least
        }
    }
}
