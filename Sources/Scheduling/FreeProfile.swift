import Units

/// What is free from now on, as far as that is known: constant between one end or start and the next.
struct FreeProfile {
    private struct Step {
        var at: Timestamp
        var free: Room
    }

    /// Ascending; the last holds for ever.
    private var steps: [Step]

    /// - Parameter ends: who leaves when; in any order.
    init(free: Room, now: Timestamp, ends: [(at: Timestamp, job: ActiveJob)]) {
        self.init(free, now, ends.map { ($0.at, $0.job) }) { $0.give($1) }
    }

    /// Of amounts alone, not of cards.
    /// - Parameter ends: what becomes free when; in any order.
    init(free: ResourceVector, now: Timestamp, ends: [(at: Timestamp, request: ResourceVector)]) {
        self.init(Room(amounts: free, cards: CardRoom()), now, ends.map { ($0.at, $0.request) }) { $0.amounts += $1 }
    }

    private init<End>(
        _ free: Room, _ now: Timestamp, _ ends: [(Timestamp, End)], _ give: (inout Room, End) -> Void
    ) {
        steps = [Step(at: now, free: free)]
        for (at, end) in ends.sorted(by: { $0.0 < $1.0 }) {
            var sum = steps[steps.count - 1].free
            give(&sum, end)
            if steps[steps.count - 1].at >= at {
                steps[steps.count - 1].free = sum
            } else {
                steps.append(Step(at: at, free: sum))
            }
        }
    }

    /// The first time at which a request fits, and keeps fitting for as long as it takes, on the same GPUs; nil where there is none.
    /// - Parameters:
    ///   - length: nil for one that may go on for ever.
    ///   - earliest: no time before it is looked at.
    func start(
        of request: ResourceVector, for length: Duration?, from earliest: Timestamp? = nil
    ) -> (at: Timestamp, cards: [Int])? {
        var index = earliest.map(lastStep) ?? 0
        while index < steps.count {
            let start = max(steps[index].at, earliest ?? steps[index].at)
            let end = length.map { start.advanced(by: $0) }
            var next = index
            /// What all the steps it meets have of cards.
            var cards: CardRoom?
            var isTogether = false
            while next < steps.count, end.map({ steps[next].at < $0 }) ?? true,
                request.fits(in: steps[next].free.amounts)
            {
                if request.gpus > 0 {
                    let met = cards?.least(steps[next].free.cards) ?? steps[next].free.cards
                    guard met.holds(request) else {
                        isTogether = steps[next].free.cards.holds(request)
                        break
                    }
                    cards = met
                }
                next += 1
            }
            // It fits through all that it meets.
            if next > index, next == steps.count || (end.map { steps[next].at >= $0 } ?? false) {
                return (start, cards?.choose(request) ?? [])
            }
            // Cards that only the steps before lack may do from a later one on.
            index = isTogether ? index + 1 : max(next, index) + 1
        }
        return nil
    }

    /// Something holds it from one time to another.
    mutating func take(_ request: ResourceVector, on cards: [Int], from start: Timestamp, for length: Duration?) {
        let end = length.map { start.advanced(by: $0) }
        cut(at: start)
        if let end { cut(at: end) }
        for index in steps.indices where steps[index].at >= start && end.map({ steps[index].at < $0 }) ?? true {
            steps[index].free.take(request, request, cards)
        }
    }

    /// The last step that begins no later; the first where none does.
    private func lastStep(at time: Timestamp) -> Int {
        var (low, high) = (0, steps.count)
        while low < high {
            let middle = (low + high) / 2
            if steps[middle].at <= time { low = middle + 1 } else { high = middle }
        }
        return max(0, low - 1)
    }

    /// Makes a step begin there.
    private mutating func cut(at time: Timestamp) {
        let index = lastStep(at: time)
        guard steps[index].at < time else { return }
        steps.insert(Step(at: time, free: steps[index].free), at: index + 1)
    }
}
