package import Units

extension ShiftPlanner {
    /// What an interruptible job does when the question is asked.
    package enum Progress: Hashable, Sendable {
        case notStarted
        case running
        case suspended
    }

    /// No more slots than these are looked at: six weeks of half an hour.
    static let mostSlots = 2048

    /// When a job that may be suspended runs: the slots that cost least, in all of which it runs throughout but in the last,
    /// in which it ends. It may also run from `earliest` up to the first of them.
    ///
    /// Each time it goes on after a gap costs as much as `restart` of work at that moment's value, and takes no time. The
    /// answer is exact: there is no cheaper set. It takes time and memory as slots times slots needed.
    /// - Parameter isFull: the slot that begins there is not to be used. `earliest` is asked too.
    /// - Returns: one run or several, none touching the next. Where the deadline leaves no choice or the series does not
    ///   tell, one that begins at once.
    package func runs(
        in window: Window, restart: Duration, progress: Progress = .notStarted,
        isFull: (Timestamp) -> Bool = { _ in false }
    ) -> [Run] {
        let length = Self.wholeSeconds(window.duration)
        let atOnce = [
            Run(
                from: window.earliest,
                to: advance(window.earliest, by: length * 1_000_000) ?? Timestamp(microseconds: .max))
        ]
        guard window.earliest < Self.latestStart(window), let price = price(at: window.earliest),
            let first = firstSlot(from: window.earliest)
        else { return atOnce }
        let search = SlotSearch(
            self, from: first, until: window.deadline, restart: Self.restartSeconds(restart), isFull: isFull)
        let head = (first.microseconds - window.earliest.microseconds + 999_999) / 1_000_000
        let isAhead = first > window.earliest
        let waiting = search.cheapest(
            seconds: length, wasRunning: !isAhead && progress == .running, hasRun: progress != .notStarted)
        guard isAhead else { return waiting.map { joined($0, seconds: length, search) } ?? atOnce }
        if isFull(window.earliest), let waiting { return joined(waiting, seconds: length, search) }
        guard let headCost = cost(from: window.earliest, seconds: min(head, length)) else { return atOnce }
        let charge = progress == .suspended ? max(0, price) * search.restart : 0
        if head >= length {
            if let waiting, waiting.cost < headCost + charge { return joined(waiting, seconds: length, search) }
            return atOnce
        }
        // What is before the first slot is used in full or not at all.
        let going = search.cheapest(seconds: length - head, wasRunning: true, hasRun: true)
        switch (waiting, going) {
        case (nil, nil): return atOnce
        case (let waiting?, let going) where going.map({ waiting.cost < $0.cost + headCost + charge }) ?? true:
            return joined(waiting, seconds: length, search)
        case (_, let going?):
            return joined(going, seconds: length - head, search, after: Run(from: window.earliest, to: first))
        case (_, nil): return atOnce
        }
    }

    private static func restartSeconds(_ restart: Duration) -> Int64 {
        min(max(0, restart.components.seconds), 86400)
    }

    /// Slots that follow each other are one run.
    private func joined(
        _ found: SlotSearch.Found, seconds: Int64, _ search: SlotSearch, after head: Run? = nil
    ) -> [Run] {
        var runs = head.map { [$0] } ?? []
        var left = seconds
        for index in found.slots {
            let from = search.start(index)
            let used = min(left, slotLength / 1_000_000)
            left -= used
            let to = advance(from, by: used * 1_000_000) ?? from
            if let last = runs.last, last.to == from {
                runs[runs.count - 1].to = to
            } else {
                runs.append(Run(from: from, to: to))
            }
        }
        return runs
    }
}
