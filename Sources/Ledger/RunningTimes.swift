import GRDB
import JobAPI
import Units

/// When a job held its processors and computed, one attempt after the other, and how long it had by each of these times.
struct RunningTimes {
    struct Interval: Equatable {
        /// µs since 1970.
        var from: Int64
        var until: Int64
        /// For how long it had run before.
        var offset: Int64
    }

    private(set) var intervals: [Interval] = []

    init(_ db: Database, _ id: JobID) throws {
        let rows = try Row.fetchCursor(
            db, sql: "SELECT at_us, to_state FROM transitions WHERE job_id = ? ORDER BY id", arguments: [id.number])
        var since: Int64?
        var last = Int64.min
        while let row = try rows.next() {
            // Where the clock was set back, time stands still.
            let at = max(last, row["at_us"] as Int64)
            last = at
            let state = JobState(rawValue: row["to_state"])
            let runs = state == .starting || state == .running
            if runs, since == nil { since = at }
            if !runs, let from = since {
                add(from, at)
                since = nil
            }
        }
    }

    init(_ pairs: [(Int64, Int64)]) { for pair in pairs { add(pair.0, pair.1) } }

    private mutating func add(_ from: Int64, _ until: Int64) {
        guard until > from else { return }
        let before = intervals.last.map { $0.offset.addingSaturating($0.until.subtractingSaturating($0.from)) } ?? 0
        intervals.append(Interval(from: from, until: until, offset: before))
    }

    /// µg that energy booked between two times would have caused more, had the job run from `baseline` on without a break.
    ///
    /// What it drew while it stood still it would not have drawn then. Within the span energy is taken to be even: a minute that
    /// holds both gives the still part more than it had, so that what was saved is rather told too small.
    /// - Parameter energy: in µJ.
    func saved(
        _ energy: Double, from: Int64, until: Int64, baseline: Int64, _ intensities: IntensitiesInForce
    ) -> Double {
        guard let first = intervals.first, let last = intervals.last else { return 0 }
        // Of the span only what lies in the job's own time; all of it where none does, by a clock that was set.
        let (low, high) = (max(from, first.from), min(until, last.until))
        guard low < high else { return 0 }
        let length = Double(high.subtractingSaturating(low))
        var saved = 0.0
        var position = low
        for interval in intervals where interval.until > low && interval.from < high {
            let (start, end) = (max(interval.from, low), min(interval.until, high))
            if start > position { saved -= still(energy / length, position, start, intensities) }
            let moved = baseline.addingSaturating(interval.offset).addingSaturating(
                start.subtractingSaturating(interval.from))
            let there = intensities.factor(moved, moved.addingSaturating(end.subtractingSaturating(start)), like: start)
            saved +=
                energy / length * Double(end.subtractingSaturating(start)) * (there - intensities.factor(start, end))
            position = end
        }
        if position < high { saved -= still(energy / length, position, high, intensities) }
        return saved
    }

    private func still(
        _ energyPerMicrosecond: Double, _ from: Int64, _ until: Int64, _ intensities: IntensitiesInForce
    ) -> Double {
        energyPerMicrosecond * Double(until.subtractingSaturating(from)) * intensities.factor(from, until)
    }
}

/// The grid's intensity as it was in force, and the site's overhead.
struct IntensitiesInForce {
    struct Step: Equatable {
        /// µs since 1970; until the next one's.
        var from: Int64
        var gramsPerKilowattHour: Double
        var pue: Double
    }

    private let steps: [Step]

    /// Those of a period; nil where none was in force when it begins.
    init?(_ db: Database, from: Int64, until: Int64) throws {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT from_us, g_per_kwh, pue FROM intensities
                WHERE from_us < ?2
                    AND from_us >= (SELECT MAX(from_us) FROM intensities WHERE from_us <= ?1)
                ORDER BY from_us
                """, arguments: [from, max(until, from.addingSaturating(1))])
        self.init(rows.map { Step(from: $0["from_us"], gramsPerKilowattHour: $0["g_per_kwh"], pue: $0["pue"]) })
    }

    init?(_ steps: [Step]) {
        guard !steps.isEmpty else { return nil }
        self.steps = steps
    }

    /// It never changed, as that of a yearly mean does not.
    var areConstant: Bool { steps.allSatisfy { $0.gramsPerKilowattHour == steps[0].gramsPerKilowattHour } }

    /// µg for each µJ as a mean over a time.
    /// - Parameter other: at which moment the overhead is taken: that of the building is not moved with the job. Nil for that of
    ///   the time itself.
    func factor(_ from: Int64, _ until: Int64, like other: Int64? = nil) -> Double {
        let (first, last) = (index(at: from), max(index(at: from), index(at: until.subtractingSaturating(1))))
        let overhead = other.map { steps[index(at: $0)].pue }
        var sum = 0.0
        var time = 0.0
        for index in first...last {
            let low = max(from, index == first ? from : steps[index].from)
            let high = index == last ? until : steps[index + 1].from
            let length = Double(max(1, high.subtractingSaturating(low)))
            sum += length * steps[index].gramsPerKilowattHour * (overhead ?? steps[index].pue)
            time += length
        }
        return sum / time / 3.6e6
    }

    /// By bisection; before the first the first holds.
    private func index(at time: Int64) -> Int {
        var (low, high) = (0, steps.count)
        while low < high {
            let middle = (low + high) / 2
            if steps[middle].from <= time { low = middle + 1 } else { high = middle }
        }
        return max(0, low - 1)
    }
}
