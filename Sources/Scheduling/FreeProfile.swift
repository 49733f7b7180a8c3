import Units

/// What is free from now on, as far as that is known: constant between one end or start and the next.
struct FreeProfile {
    private struct Step {
        var at: Timestamp
        var free: ResourceVector
    }

    /// Ascending; the last holds for ever.
    private var steps: [Step]

    /// - Parameter ends: what becomes free when; in any order.
    init(free: ResourceVector, now: Timestamp, ends: [(at: Timestamp, request: ResourceVector)]) {
        steps = [Step(at: now, free: free)]
        for end in ends.sorted(by: { $0.at < $1.at }) {
            let sum = steps[steps.count - 1].free + end.request
            if steps[steps.count - 1].at >= end.at {
                steps[steps.count - 1].free = sum
            } else {
                steps.append(Step(at: end.at, free: sum))
            }
        }
    }

    /// The first time at which a request fits, and keeps fitting for as long as it takes; nil where there is none.
    /// - Parameters:
    ///   - length: nil for one that may go on for ever.
    ///   - earliest: no time before it is looked at.
    func start(
        of request: ResourceVector, for length: Duration?, from earliest: Timestamp? = nil
    ) -> Timestamp? {
        var index = earliest.map(lastStep) ?? 0
        while index < steps.count {
            let start = max(steps[index].at, earliest ?? steps[index].at)
            let end = length.map { start.advanced(by: $0) }
            var next = index
            while next < steps.count, end.map({ steps[next].at < $0 }) ?? true, request.fits(in: steps[next].free) {
                next += 1
            }
            // It fits through all that it meets.
            if next > index, next == steps.count || (end.map { steps[next].at >= $0 } ?? false) { return start }
            index = max(next, index) + 1
        }
        return nil
    }

    /// Something holds it from one time to another.
    mutating func take(_ request: ResourceVector, from start: Timestamp, for length: Duration?) {
        let end = length.map { start.advanced(by: $0) }
        cut(at: start)
        if let end { cut(at: end) }
        for index in steps.indices where steps[index].at >= start && end.map({ steps[index].at < $0 }) ?? true {
            steps[index].free -= request
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
