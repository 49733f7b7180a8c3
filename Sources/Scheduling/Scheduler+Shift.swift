import Carbon
package import JobAPI
package import Units

extension Scheduler {
    /// Goes on by another forecast: jobs that are deferred, and those that may be suspended, are planned anew from `now` on.
    /// Where the new one has no series that the old one had, what was planned stays. Where it has one for the first time, jobs that
    /// wait in the line are looked at too.
    ///
    /// O(log n) for each job that is deferred, and where others have booked its cheapest time, once through the slots of its window;
    /// of one that may be suspended, as long as ``ShiftPlanner`` takes.
    /// - Parameter gone: of these the policy asks nobody any more: nothing is deferred for them.
    package mutating func adopt(forecast: ShiftForecast, now: Timestamp, gone: Set<Flexibility.Goal> = []) {
        clock = max(clock ?? now, now)
        let gained = Flexibility.Goal.allCases.filter { goal in
            forecast.planner(for: goal) != nil && self.forecast.planner(for: goal) == nil
        }
        self.forecast = forecast
        startIndexes = StartIndexes()
        if let slot = (forecast.carbon ?? forecast.cost)?.slot { bookings.cut(into: slot) }
        // While nothing was known of what is to come, they took their place in the line.
        if !gained.isEmpty {
            for (id, job) in pending.sorted(by: { $0.key < $1.key }) where dueAt[id] == nil && job.isFree {
                if let goal = job.flexibility?.goal, gained.contains(goal) { add(job) }
            }
        }
        let planned = shifts.keys.sorted().compactMap { id -> PendingJob? in
            guard let job = pending[id], let goal = job.flexibility?.goal else { return nil }
            return forecast.planner(for: goal) != nil || gone.contains(goal) ? job : nil
        }
        // Those that run choose first, then those that came first.
        for job in planned { bookings.release(job.id) }
        for id in active.keys.sorted() where active[id]?.shift != nil { planRuns(id, now: now) }
        for job in planned {
            let earliest = max(job.submittedAt, job.notBefore ?? job.submittedAt, now)
            let planned = bookShift(for: job, earliest: earliest) ?? PlannedShift(start: earliest)
            shifts[job.id] = planned
            wait(job.id, until: planned.start)
        }
    }

    /// When a job that may be deferred is to start, and books it; nil where it may not, or where nothing is known of what is to come.
    ///
    /// Around what others have booked: at the cheapest time that has room for it. Where none has, a job with a deadline starts as soon
    /// as it can, and one without at the cheapest time, when it may have to wait.
    mutating func bookShift(for job: PendingJob, earliest: Timestamp) -> PlannedShift? {
        guard let flexibility = job.flexibility, let planner = forecast.planner(for: flexibility.goal),
            let window = flexibility.window(from: earliest)
        else { return nil }
        let amounts = planned(job).request.booked
        func atOnce(_ start: Timestamp) -> PlannedRuns {
            let end = planner.advance(start, by: Flexibility.microseconds(flexibility.runTime))
            return PlannedRuns(shift: PlannedShift(start: start), runs: [.init(from: start, to: end ?? start)])
        }
        let chosen: PlannedRuns
        if let threshold = flexibility.threshold, let value = planner.series.value(at: earliest), value <= threshold {
            chosen = atOnce(earliest)
        } else {
            let latest = max(earliest, flexibility.latest(before: window.deadline))
            let openings = bindings.openings(job.standing, from: earliest, to: latest)
            guard let first = openings.first else { return nil }
            let best = cheapest(flexibility, in: openings, of: window, planner)
            if let best, hasRoom(for: amounts, best, by: window.deadline) {
                chosen = best
            } else if var roomy = cheapest(flexibility, in: openings, of: window, planner, amidst: amounts) {
                roomy.shift.isCrowdedOut = best.map { $0.shift.start < roomy.shift.start } ?? false
                chosen = roomy
            } else {
                chosen = flexibility.deadline == nil ? best ?? atOnce(first.lowerBound) : atOnce(first.lowerBound)
            }
        }
        bookings.book(job.id, .init(amounts: amounts, runs: chosen.runs))
        return chosen.shift
    }

    private struct PlannedRuns {
        var shift: PlannedShift
        var runs: [ShiftPlanner.Run]
    }

    private func hasRoom(for amounts: Bookings.Amounts, _ planned: PlannedRuns, by deadline: Timestamp) -> Bool {
        bookings.hasRoom(for: amounts, planned.runs, by: deadline, of: capacity.booked)
    }

    /// - Parameter amounts: nil to look at nothing that others have booked.
    private mutating func cheapest(
        _ flexibility: Flexibility, in openings: [ClosedRange<Timestamp>], of window: ShiftPlanner.Window,
        _ planner: ShiftPlanner, amidst amounts: Bookings.Amounts? = nil
    ) -> PlannedRuns? {
        var best: PlannedRuns?
        for opening in openings {
            let part = flexibility.part(startingIn: opening, of: window)
            guard let runs = runs(of: flexibility, in: part, planner, amidst: amounts), let start = runs.first?.from,
                opening.contains(start)
            else { continue }
            let mean = planner.mean(runs)
            if let best = best?.shift.mean, mean.map({ $0 >= best }) ?? true { continue }
            if best == nil || mean != nil {
                best = PlannedRuns(shift: PlannedShift(start: start, mean: mean), runs: runs)
            }
        }
        return best
    }

    /// The runs that cost least, of one that may not be suspended a single one; nil where others leave it no room.
    private mutating func runs(
        of flexibility: Flexibility, in window: ShiftPlanner.Window, _ planner: ShiftPlanner,
        amidst amounts: Bookings.Amounts?
    ) -> [ShiftPlanner.Run]? {
        if flexibility.isInterruptible {
            let restart = Duration.seconds(Int64(saturating: flexibility.restart))
            guard let amounts else { return planner.runs(in: window, restart: restart) }
            let capacity = capacity.booked
            let runs = planner.runs(in: window, restart: restart) { [bookings] in
                bookings.isFull(for: amounts, at: $0, of: capacity)
            }
            return bookings.hasRoom(for: amounts, runs, by: window.deadline, of: capacity) ? runs : nil
        }
        let start =
            if let amounts {
                bookings.start(in: window, planner, for: amounts, of: capacity.booked)
            } else {
                Optional(startIndexes.start(in: window, planner, goal: flexibility.goal))
            }
        let length = ShiftPlanner.wholeSeconds(window.duration) * 1_000_000
        return start.map { [.init(from: $0, to: planner.advance($0, by: length) ?? Timestamp(microseconds: .max))] }
    }

    // MARK: - Jobs that may be suspended

    /// An active job stands still, as ``Plan/suspends`` said: it keeps its memory and its GPUs, its CPUs are free.
    package mutating func suspended(_ id: JobID, at now: Timestamp) {
        pause(id, true, at: now)
    }

    /// An active job runs again, as ``Plan/resumes`` said.
    package mutating func resumed(_ id: JobID, at now: Timestamp) {
        pause(id, false, at: now)
    }

    /// Nothing suspends the job any more, as after somebody suspended or resumed it by hand. Of one that the plan had suspended say
    /// first that it was resumed: from now on it holds all it asked for.
    package mutating func settle(_ id: JobID) {
        guard active[id]?.shift?.isSuspended == false else { return }
        change(id) { $0.shift = nil }
        bookings.release(id)
        setBorder(id, nil)
        unsettled.remove(id)
    }

    private mutating func pause(_ id: JobID, _ isSuspended: Bool, at now: Timestamp) {
        guard active[id]?.shift != nil else { return }
        clock = max(clock ?? now, now)
        change(id) {
            $0.shift?.count(to: now)
            $0.shift?.isSuspended = isSuspended
        }
        let current = active[id]?.shift?.runs.first { $0.from <= now && now < $0.to }
        if !isSuspended, let current, current.from < now {
            planRuns(id, now: now)  // It is late, and what it missed has to be made up for.
        } else {
            update(id, now: now)
        }
    }

    /// Plans when an active job runs from now on. One that runs goes on to the end of its slot.
    mutating func planRuns(_ id: JobID, now: Timestamp) {
        guard var shift = active[id]?.shift, let end = shift.flexibility.end else { return }
        shift.count(to: now)
        bookings.release(id)
        let amounts = active[id]?.request.booked ?? .zero
        if let planner = forecast.planner(for: shift.flexibility.goal) {
            let capacity = capacity.booked
            shift.runs = shift.replanned(planner, end: end, now: now, isNew: active[id]?.startedAt == now) {
                bookings.isFull(for: amounts, at: $0, of: capacity)
            }
        } else if shift.runs.isEmpty {
            shift.runs = [.init(from: now, to: end)]
        }
        bookings.book(id, .init(amounts: amounts, runs: shift.runs))
        change(id) { $0.shift = shift }
        update(id, now: now)
    }

    /// Sets right what follows from a shift: when it is looked at next, and when its limit ends it.
    private mutating func update(_ id: JobID, now: Timestamp) {
        change(id) { $0.shift?.count(to: now) }
        guard let shift = active[id]?.shift else { return }
        setBorder(id, shift.border(after: now))
        if shift.shouldRun(at: now) == shift.isSuspended { unsettled.insert(id) } else { unsettled.remove(id) }
        if let left = shift.limitLeft {
            let pauses = shift.pauses(after: now)
            let (end, overflow) = now.microseconds.addingReportingOverflow(Flexibility.microseconds(left + pauses))
            change(id) { $0.expectedEnd = Timestamp(microseconds: overflow ? .max : end) }
        }
    }

    mutating func setBorder(_ id: JobID, _ time: Timestamp?) {
        if let old = borderAt.removeValue(forKey: id) { borders.remove(Due(at: old, id: id)) }
        guard let time else { return }
        borderAt[id] = time
        borders.insert(Due(at: time, id: id))
    }

    /// Looks at the jobs whose time to be suspended or resumed has come.
    mutating func crossBorders(now: Timestamp) {
        while let due = borders.first, due.at <= now { update(due.id, now: now) }
    }
}

extension Flexibility {
    /// A window in which the first run may begin only in a part of another.
    fileprivate func part(
        startingIn opening: ClosedRange<Timestamp>, of window: ShiftPlanner.Window
    ) -> ShiftPlanner.Window {
        var window = window
        window.earliest = opening.lowerBound
        if !isInterruptible {
            let (end, overflow) = opening.upperBound.microseconds.addingReportingOverflow(Self.microseconds(runTime))
            if !overflow { window.deadline = min(window.deadline, Timestamp(microseconds: end)) }
        }
        return window
    }
}

extension ActiveShift {
    /// - Parameters:
    ///   - isNew: it has only just started, and is not suspended at once.
    ///   - isFull: the slot that begins there is others'.
    func replanned(
        _ planner: ShiftPlanner, end: Timestamp, now: Timestamp, isNew: Bool, isFull: (Timestamp) -> Bool
    ) -> [ShiftPlanner.Run] {
        let through = [ShiftPlanner.Run(from: now, to: max(end, now))]
        let left = Flexibility.microseconds(remaining)
        guard left > 0 else { return through }
        let restart = Duration.seconds(Int64(saturating: flexibility.restart))
        func runs(_ earliest: Timestamp, _ microseconds: Int64, _ progress: ShiftPlanner.Progress) -> [ShiftPlanner.Run]
        {
            planner.runs(
                in: .init(earliest: earliest, deadline: end, duration: .microseconds(microseconds)), restart: restart,
                progress: progress, isFull: isFull)
        }
        if isSuspended { return runs(now, left, .suspended) }
        guard let slot = planner.firstSlot(from: isNew ? planner.advance(now, by: 1) ?? now : now) else {
            return through
        }
        let head = slot.microseconds - now.microseconds
        if head >= left { return through }
        let rest = runs(slot, left - head, .running)
        guard head > 0 else { return rest }
        if let first = rest.first, first.from == slot { return [.init(from: now, to: first.to)] + rest.dropFirst() }
        return [.init(from: now, to: slot)] + rest
    }

    /// Seconds in which it stands still before its last run.
    func pauses(after now: Timestamp) -> Double {
        var sum = 0.0
        var last = now
        for run in runs where run.to > now || run.from > now {
            if run.from > last { sum += run.from.since(last).seconds }
            last = max(last, run.to)
        }
        return sum
    }
}
