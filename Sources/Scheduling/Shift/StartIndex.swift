import Carbon
import Units

/// The cheapest start among any slots that follow each other, for one run time, found at once: a table of the cheapest of
/// each stretch of one, two, four and so on slots.
struct StartIndex: Sendable {
    private let first: Timestamp
    private let slotLength: Int64
    private let costs: [Int64]
    /// For each power of two the index of the cheapest in the stretch that begins there, the earliest of equals.
    private let cheapest: [[Int32]]

    /// - Parameter seconds: how long it runs.
    init?(_ planner: ShiftPlanner, seconds: Int64) {
        guard let first = planner.firstSlot(from: planner.series.start) else { return nil }
        self.first = first
        slotLength = planner.slotLength
        var costs: [Int64] = []
        var start: Timestamp? = first
        while let slot = start, let cost = planner.cost(from: slot, seconds: seconds) {
            costs.append(cost)
            start = planner.advance(slot, by: slotLength)
        }
        self.costs = costs
        var tables = [(0..<Int32(clamping: costs.count)).map { $0 }]
        var width = 1
        while width * 2 <= costs.count {
            let last = tables[tables.count - 1]
            tables.append(
                (0...(costs.count - 2 * width)).map { index in
                    let (a, b) = (last[index], last[index + width])
                    return costs[Int(b)] < costs[Int(a)] ? b : a
                })
            width *= 2
        }
        cheapest = tables
    }

    /// The cheapest start of a slot within both bounds, and its cost; nil where there is none.
    func best(from earliest: Timestamp, to latest: Timestamp) -> (start: Timestamp, cost: Int64)? {
        guard latest >= first, earliest <= latest, !costs.isEmpty else { return nil }
        let ahead = earliest > first ? earliest.microseconds - first.microseconds : 0
        let low = ahead / slotLength + (ahead % slotLength > 0 ? 1 : 0)
        let high = min(Int64(costs.count - 1), (latest.microseconds - first.microseconds) / slotLength)
        guard low <= high else { return nil }
        let (from, count) = (Int(low), Int(high - low + 1))
        let level = Int.bitWidth - 1 - count.leadingZeroBitCount
        let (a, b) = (cheapest[level][from], cheapest[level][from + count - (1 << level)])
        let index = costs[Int(b)] < costs[Int(a)] ? Int(b) : Int(a)
        return (Timestamp(microseconds: first.microseconds + Int64(index) * slotLength), costs[index])
    }
}

/// The indexes of one forecast, made when they are first asked for. Run times count in whole minutes, so that jobs share them.
struct StartIndexes: Sendable {
    private struct Key: Hashable {
        var goal: Flexibility.Goal
        var minutes: Int64
    }

    /// Each takes up to some 100 KiB.
    private static let most = 256

    private var indexes: [Key: StartIndex] = [:]

    /// The same as ``ShiftPlanner/start(in:)`` for a run time of whole minutes.
    mutating func start(
        in window: ShiftPlanner.Window, _ planner: ShiftPlanner, goal: Flexibility.Goal
    ) -> Timestamp {
        let minutes = (ShiftPlanner.wholeSeconds(window.duration) + 59) / 60
        let key = Key(goal: goal, minutes: minutes)
        if indexes[key] == nil {
            if indexes.count >= Self.most { indexes = [:] }
            indexes[key] = StartIndex(planner, seconds: minutes * 60)
        }
        let latest = ShiftPlanner.latestStart(window)
        guard window.earliest < latest, let atOnce = planner.cost(from: window.earliest, seconds: minutes * 60),
            let best = indexes[key]?.best(from: window.earliest, to: latest), best.cost < atOnce
        else { return window.earliest }
        return best.start
    }
}
