import Carbon
package import JobAPI
package import Units

extension Scheduler {
    /// Goes on by another forecast: jobs that are deferred, and those that may be suspended, are planned anew from `now` on.
    /// Where the new one has no series that the old one had, what was planned stays. Where it has one for the first time, jobs that
    /// wait in the line are looked at too.
    ///
    /// O(log n) for each job that is deferred; of one that may be suspended, as long as ``ShiftPlanner`` takes.
    package mutating func adopt(forecast: ShiftForecast, now: Timestamp) {
        clock = max(clock ?? now, now)
        let gained = Flexibility.Goal.allCases.filter { goal in
            forecast.planner(for: goal) != nil && self.forecast.planner(for: goal) == nil
        }
        self.forecast = forecast
        startIndexes = StartIndexes()
        // While nothing was known of what is to come, they took their place in the line.
        if !gained.isEmpty {
            for (id, job) in pending.sorted(by: { $0.key < $1.key }) where dueAt[id] == nil && job.isFree {
                if let goal = job.flexibility?.goal, gained.contains(goal) { add(job) }
            }
        }
        for id in shifts.keys.sorted() {
            guard let job = pending[id], let goal = job.flexibility?.goal, forecast.planner(for: goal) != nil else {
                continue
            }
            let earliest = max(job.submittedAt, job.notBefore ?? job.submittedAt, now)
            let planned = shift(for: job, earliest: earliest) ?? PlannedShift(start: earliest)
            shifts[id] = planned
            wait(id, until: planned.start)
        }
        for id in active.keys.sorted() where active[id]?.shift != nil { planRuns(id, now: now) }
    }

    /// When a job that may be deferred is to start; nil where it may not, or where nothing is known of what is to come.
    mutating func shift(for job: PendingJob, earliest: Timestamp) -> PlannedShift? {
        guard let flexibility = job.flexibility, let planner = forecast.planner(for: flexibility.goal),
            let window = flexibility.window(from: earliest)
        else { return nil }
        if let threshold = flexibility.threshold, let value = planner.series.value(at: earliest), value <= threshold {
            return PlannedShift(start: earliest)
        }
        let latest = flexibility.latest(before: window.deadline)
        let openings = bindings.openings(job.standing, from: earliest, to: max(earliest, latest))
        var best: PlannedShift?
        for opening in openings {
            let runs = flexibility.runs(startingIn: opening, of: window, planner, &startIndexes)
            guard let start = runs.first?.from, opening.contains(start) else { continue }
            let planned = PlannedShift(start: start, mean: planner.mean(runs))
            if let mean = best?.mean, planned.mean.map({ $0 >= mean }) ?? true { continue }
            if best == nil || planned.mean != nil { best = planned }
        }
        return best ?? openings.first.map { PlannedShift(start: $0.lowerBound) }
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
        if let planner = forecast.planner(for: shift.flexibility.goal) {
            shift.runs = shift.replanned(planner, end: end, now: now, isNew: active[id]?.startedAt == now)
        } else if shift.runs.isEmpty {
            shift.runs = [.init(from: now, to: end)]
        }
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
    /// The runs that cost least, of one that may not be suspended a single one, where the first may begin only in a part of the window.
    func runs(
        startingIn opening: ClosedRange<Timestamp>, of window: ShiftPlanner.Window, _ planner: ShiftPlanner,
        _ indexes: inout StartIndexes
    ) -> [ShiftPlanner.Run] {
        var window = window
        window.earliest = opening.lowerBound
        if !isInterruptible {
            let (end, overflow) = opening.upperBound.microseconds.addingReportingOverflow(Self.microseconds(runTime))
            if !overflow { window.deadline = min(window.deadline, Timestamp(microseconds: end)) }
        }
        return runs(in: window, planner, &indexes)
    }

    /// The runs that cost least, of one that may not be suspended a single one.
    private func runs(
        in window: ShiftPlanner.Window, _ planner: ShiftPlanner, _ indexes: inout StartIndexes
    ) -> [ShiftPlanner.Run] {
        if isInterruptible { return planner.runs(in: window, restart: .seconds(Int64(saturating: restart))) }
        let start = indexes.start(in: window, planner, goal: goal)
        let length = Flexibility.microseconds(runTime)
        return [.init(from: start, to: planner.advance(start, by: length) ?? Timestamp(microseconds: .max))]
    }
}

extension ActiveShift {
    /// - Parameter isNew: it has only just started, and is not suspended at once.
    func replanned(
        _ planner: ShiftPlanner, end: Timestamp, now: Timestamp, isNew: Bool
    ) -> [ShiftPlanner.Run] {
        let through = [ShiftPlanner.Run(from: now, to: max(end, now))]
        let left = Flexibility.microseconds(remaining)
        guard left > 0 else { return through }
        let restart = Duration.seconds(Int64(saturating: flexibility.restart))
        func runs(_ earliest: Timestamp, _ microseconds: Int64, _ progress: ShiftPlanner.Progress) -> [ShiftPlanner.Run]
        {
            planner.runs(
                in: .init(earliest: earliest, deadline: end, duration: .microseconds(microseconds)), restart: restart,
                progress: progress)
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
