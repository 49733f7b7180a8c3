import Carbon
import JobAPI
import Units

/// What jobs that may be deferred are planned to use, half hour by half hour (or whatever a slot is), so that no more of them are
/// planned for a cheap hour than it holds. It knows nothing of other jobs, which come and go unforeseen.
///
/// A job that runs through a slot takes what it asks for. Those that end within it, or begin, run one after the other as well as at
/// the same time: of them the slot holds as much as fits into its length.
struct Bookings: Sendable {
    /// CPUs, MiB, GPUs, mW. Whole numbers, so that what is given back is what was taken.
    typealias Amounts = SIMD4<Double>

    private struct Slot: Sendable {
        /// Of those that run through it.
        var through = Amounts.zero
        /// Of all, times the seconds they run.
        var work = Amounts.zero
        /// What those ask for that do not run through it, and the most of each kind.
        var parts: [JobID: Amounts] = [:]
        var largestPart = Amounts.zero
        var jobs = 0
    }

    struct Booking: Sendable {
        var amounts: Amounts
        var runs: [ShiftPlanner.Run]

        /// The same, beginning at another time.
        func begun(at now: Timestamp) -> Booking {
            guard let first = runs.first else { return self }
            let late = now.since(first.from)
            var moved = self
            moved.runs = runs.map { .init(from: $0.from.advanced(by: late), to: $0.to.advanced(by: late)) }
            return moved
        }
    }

    /// In microseconds.
    private(set) var slotLength: Int64
    private var slots: [Int64: Slot] = [:]
    private var bookings: [JobID: Booking] = [:]

    init(slot: Duration = .seconds(1800)) { slotLength = slot.components.seconds * 1_000_000 }

    private var slotSeconds: Double { Double(slotLength / 1_000_000) }

    // MARK: - Taking and giving back

    /// In place of what it had booked before.
    mutating func book(_ id: JobID, _ booking: Booking) {
        release(id)
        bookings[id] = booking
        let amounts = booking.amounts
        visit(booking.runs) { index, seconds in
            var slot = slots[index] ?? Slot()
            slot.jobs += 1
            slot.work += amounts * seconds
            if seconds == slotSeconds {
                slot.through += amounts
            } else {
                slot.parts[id] = amounts
                slot.largestPart = pointwiseMax(slot.largestPart, amounts)
            }
            slots[index] = slot
            return true
        }
    }

    /// One that has booked nothing changes nothing.
    @discardableResult
    mutating func release(_ id: JobID) -> Booking? {
        guard let booking = bookings.removeValue(forKey: id) else { return nil }
        visit(booking.runs) { index, seconds in
            guard var slot = slots[index] else { return true }
            slot.jobs -= 1
            slot.work -= booking.amounts * seconds
            if seconds == slotSeconds {
                slot.through -= booking.amounts
            } else if slot.parts.removeValue(forKey: id) != nil {
                slot.largestPart = slot.parts.values.reduce(.zero) { pointwiseMax($0, $1) }
            }
            slots[index] = slot.jobs > 0 ? slot : nil
            return true
        }
        return booking
    }

    /// Slots have another length from now on.
    mutating func cut(into slot: Duration) {
        var new = Bookings(slot: slot)
        if new.slotLength == slotLength { return }
        for (id, booking) in bookings { new.book(id, booking) }
        self = new
    }

    // MARK: - Room

    /// Whether a job finds what it asks for all the time it runs.
    /// - Parameter deadline: a job shorter than a slot may have to wait for others there, but not beyond this.
    func hasRoom(
        for amounts: Amounts, _ runs: [ShiftPlanner.Run], by deadline: Timestamp, of capacity: Amounts
    ) -> Bool {
        var isRoomy = true
        visit(runs) { index, seconds in
            isRoomy = hasRoom(for: amounts, seconds: seconds, in: index, of: capacity)
            return isRoomy
        }
        guard isRoomy, let first = runs.first, runs.count == 1, self.index(first.from) == lastIndex(of: first) else {
            return isRoomy
        }
        return slots[self.index(first.from)] == nil || start(self.index(first.from) + 1) <= deadline
    }

    /// Whether a whole slot is left to it.
    func isFull(for amounts: Amounts, at start: Timestamp, of capacity: Amounts) -> Bool {
        !hasRoom(for: amounts, seconds: slotSeconds, in: index(start), of: capacity)
    }

    private func hasRoom(for amounts: Amounts, seconds: Double, in index: Int64, of capacity: Amounts) -> Bool {
        guard let slot = slots[index] else { return true }
        let beside = seconds == slotSeconds ? slot.through + slot.largestPart : slot.through
        return all(beside + amounts .<= capacity)
            && all(slot.work + amounts * seconds .<= capacity * slotSeconds)
    }

    /// The cheapest start of one that runs in one go and finds room all the time; nil where there is none. The earliest of equals.
    func start(
        in window: ShiftPlanner.Window, _ planner: ShiftPlanner, for amounts: Amounts, of capacity: Amounts
    ) -> Timestamp? {
        let seconds = (ShiftPlanner.wholeSeconds(window.duration) + 59) / 60 * 60
        let latest = min(ShiftPlanner.latestStart(window), planner.series.end)
        var best: (start: Timestamp, cost: Int64)?
        func consider(_ start: Timestamp) {
            guard let cost = planner.cost(from: start, seconds: seconds), best.map({ cost < $0.cost }) ?? true else {
                return
            }
            best = (start, cost)
        }
        func run(from start: Timestamp) -> [ShiftPlanner.Run] {
            [.init(from: start, to: start.advanced(by: window.duration))]
        }
        if hasRoom(for: amounts, run(from: window.earliest), by: window.deadline, of: capacity) {
            consider(window.earliest)
        }
        guard let first = planner.firstSlot(from: window.earliest), first <= latest else { return best?.start }
        // How many slots it runs through, and how long it needs the one after. All of the first have to have room: those that were
        // looked at last begin at `roomyFrom`.
        let whole = seconds * 1_000_000 / slotLength
        let tail = Double(ShiftPlanner.wholeSeconds(window.duration) - whole * (slotLength / 1_000_000))
        var roomyFrom = index(first)
        var next = roomyFrom
        for candidate in index(first)...index(latest) {
            let start = start(candidate)
            if whole == 0 {
                if hasRoom(for: amounts, run(from: start), by: window.deadline, of: capacity) { consider(start) }
                continue
            }
            while next < candidate + whole {
                if !hasRoom(for: amounts, seconds: slotSeconds, in: next, of: capacity) { roomyFrom = next + 1 }
                next += 1
            }
            guard roomyFrom <= candidate else { continue }
            if tail <= 0 || hasRoom(for: amounts, seconds: tail, in: candidate + whole, of: capacity) {
                consider(start)
            }
        }
        return best?.start
    }

    // MARK: - Slots

    /// No more slots of one job than these are looked at.
    private static let most = Int64(ShiftPlanner.mostSlots)

    private func index(_ time: Timestamp) -> Int64 {
        let (quotient, rest) = time.microseconds.quotientAndRemainder(dividingBy: slotLength)
        return rest < 0 ? quotient - 1 : quotient
    }

    private func start(_ index: Int64) -> Timestamp {
        let (start, overflow) = index.multipliedReportingOverflow(by: slotLength)
        return Timestamp(microseconds: overflow ? .max : start)
    }

    private func lastIndex(of run: ShiftPlanner.Run) -> Int64 {
        index(Timestamp(microseconds: max(run.from.microseconds, run.to.microseconds - 1)))
    }

    /// The slots that runs meet, each with the seconds it is used, a part of one counting as a whole one.
    /// - Parameter body: false to stop.
    private func visit(_ runs: [ShiftPlanner.Run], _ body: (Int64, Double) -> Bool) {
        for run in runs where run.to > run.from {
            let first = index(run.from)
            for index in first...min(lastIndex(of: run), first + Self.most) {
                let from = max(start(index).microseconds, run.from.microseconds)
                let to = min(start(index + 1).microseconds, run.to.microseconds)
                guard body(index, Double((to - from + 999_999) / 1_000_000)) else { return }
            }
        }
    }
}

extension ResourceVector {
    /// What is booked of it. GPUs that are shared are not counted: what they hold at one time only ``CardRoom`` can tell.
    var booked: Bookings.Amounts {
        let isShared = card.isShared && gpus > 0
        return Bookings.Amounts(
            Double(cpus), Double(memory.bytes / (1 << 20)), isShared ? 0 : Double(gpus), Double(power))
    }
}
