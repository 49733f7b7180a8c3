import Carbon
import Units

/// Finds the cheapest slots for an interruptible job by dynamic programming, from the last slot to the first: what the rest of
/// the work costs depends on the slot, on how many are still needed, and on whether the job runs in the one before.
struct SlotSearch {
    struct Found {
        /// In ascending order.
        var slots: [Int]
        var cost: Int64
    }

    let restart: Int64
    private let planner: ShiftPlanner
    private let first: Timestamp
    /// How many slots begin before the deadline, are covered, and so may be used at least in part.
    private let count: Int
    private let until: Timestamp
    /// Of each of them whether it must not be used.
    private let isFull: [Bool]

    /// - Parameters:
    ///   - first: the beginning of a slot.
    ///   - restart: seconds.
    ///   - isFull: whether the slot that begins there must not be used.
    init(
        _ planner: ShiftPlanner, from first: Timestamp, until deadline: Timestamp, restart: Int64,
        isFull: (Timestamp) -> Bool = { _ in false }
    ) {
        self.planner = planner
        self.first = first
        self.restart = restart
        until = min(deadline, planner.series.end)
        let room = first < until ? until.microseconds - first.microseconds : 0
        count = min(Int((room + planner.slotLength - 1) / planner.slotLength), ShiftPlanner.mostSlots)
        self.isFull = (0..<count).map {
            isFull(Timestamp(microseconds: first.microseconds + Int64($0) * planner.slotLength))
        }
    }

    func start(_ index: Int) -> Timestamp {
        Timestamp(microseconds: first.microseconds + Int64(index) * planner.slotLength)
    }

    /// - Parameters:
    ///   - wasRunning: whether the job runs up to the first slot.
    ///   - hasRun: whether it ran at any time before.
    /// - Returns: nil where the slots do not suffice.
    func cheapest(seconds: Int64, wasRunning: Bool, hasRun: Bool) -> Found? {
        let slot = planner.slotLength / 1_000_000
        let needed64 = (seconds + slot - 1) / slot
        guard needed64 >= 1, needed64 <= Int64(count) else { return nil }
        let needed = Int(needed64)
        let rest = seconds - (needed64 - 1) * slot
        guard let costs = costs(slot: slot, rest: rest) else { return nil }

        let none = Int64.max
        let width = needed + 1
        // What `left` more slots cost from this one on, by whether the job runs up to it.
        var idle = [Int64](repeating: none, count: width)
        var running = idle
        idle[0] = 0
        running[0] = 0
        // Whether to run in slot `index` with `left` still needed: bit 0 when it did not run before, bit 1 when it did.
        var runs = [UInt8](repeating: 0, count: count * width)
        for index in stride(from: count - 1, through: 0, by: -1) {
            let cost = costs[index]
            // From the most needed to the least: each uses what the next slot says of one less.
            for left in stride(from: min(needed, count - index), through: 1, by: -1) {
                let skip = idle[left]
                let own = left == 1 ? cost.last : cost.whole
                let after = running[left - 1]
                let go = own == none || after == none ? none : own + after
                let charge = left < needed || hasRun ? cost.restart : 0
                let resumed = go == none ? none : go + charge
                if resumed != none, resumed <= skip {
                    runs[index * width + left] |= 1
                    idle[left] = resumed
                }
                if go != none, go <= skip {
                    runs[index * width + left] |= 2
                    running[left] = go
                } else {
                    running[left] = skip
                }
            }
        }
        let cost = wasRunning ? running[needed] : idle[needed]
        guard cost != none else { return nil }
        var found = Found(slots: [], cost: cost)
        var left = needed
        var isRunning = wasRunning
        for index in 0..<count where left > 0 {
            isRunning = runs[index * width + left] & (isRunning ? 2 : 1) != 0
            if isRunning {
                found.slots.append(index)
                left -= 1
            }
        }
        return found
    }

    private struct Cost {
        var whole: Int64
        /// Of the part used when it is the last.
        var last: Int64
        var restart: Int64
    }

    /// - Returns: nil where the series does not cover the slots; a cost of `.max` where too little of a slot can be used.
    private func costs(slot: Int64, rest: Int64) -> [Cost]? {
        var costs: [Cost] = []
        costs.reserveCapacity(count)
        for index in 0..<count {
            let start = start(index)
            guard let price = planner.price(at: start) else { return nil }
            let room = isFull[index] ? 0 : (until.microseconds - start.microseconds) / 1_000_000
            costs.append(
                Cost(
                    whole: room >= slot ? planner.cost(from: start, seconds: slot) ?? .max : .max,
                    last: room >= rest ? planner.cost(from: start, seconds: rest) ?? .max : .max,
                    restart: max(0, price) * restart))
        }
        return costs
    }
}
