import JobAPI
import Units

/// What is to come, soonest first; of one moment what was added first.
struct EventHeap {
    struct Event {
        var at: Timestamp
        /// Counts what was ever added.
        var order: UInt64
        var job: JobID
    }

    private var events: [Event] = []
    private var added: UInt64 = 0

    var first: Event? { events.first }

    /// - Returns: the event's order, by which it can be told from others of its job.
    mutating func add(_ job: JobID, at time: Timestamp) -> UInt64 {
        added += 1
        events.append(Event(at: time, order: added, job: job))
        var index = events.count - 1
        while index > 0, isBefore(index, (index - 1) / 2) {
            events.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
        return added
    }

    mutating func removeFirst() -> Event? {
        guard let first = events.first, let last = events.popLast() else { return nil }
        if events.isEmpty { return first }
        events[0] = last
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < events.count && isBefore(child, least) {
                least = child
            }
            if least == index { return first }
            events.swapAt(index, least)
            index = least
        }
    }

    private func isBefore(_ a: Int, _ b: Int) -> Bool {
        events[a].at == events[b].at ? events[a].order < events[b].order : events[a].at < events[b].at
    }
}
