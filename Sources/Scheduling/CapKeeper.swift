package import JobAPI

/// Sees from the meters' readings when the machine draws more than its cap, and says when to hold it down further and when to let
/// go again. A value without a clock: the same readings give the same steps.
package struct CapKeeper: Hashable, Sendable {
    /// What is done, one step at a time.
    package enum Step: Hashable, Sendable {
        /// The hardware holds a part of the machine to so many watts.
        case limit(key: String, watts: Double)
        /// A job computes with so many CPUs.
        case cpus(JobID, Int)
        case freeze(JobID)
    }

    package enum Verdict: Hashable, Sendable {
        case steady
        /// By so many watts it draws too much.
        case tighten(by: Double)
        /// The last step may be undone.
        case loosen
    }

    /// For how long it has to draw too much before each step, in seconds, and at how many readings: a peak is nothing to act on,
    /// and each step takes a moment to show.
    package static let patience = 10.0
    package static let leastReadings = 3
    /// Below this part of the cap a step is undone after a while, in seconds; longer each time that turned out to be too early.
    package static let release = 0.9
    package static let shortestCalm = 60.0
    package static let longestCalm = 960.0

    /// What was done and not undone, the oldest first.
    package private(set) var steps: [Step] = []
    private var aboveSince: Double?
    private var readings = 0
    private var belowSince: Double?
    private var loosenedAt: Double?
    private var calm = CapKeeper.shortestCalm

    package init() {}

    /// - Parameters:
    ///   - watts: what the machine draws.
    ///   - seconds: on a clock that never steps.
    package mutating func note(_ watts: Double, cap: Double, at seconds: Double) -> Verdict {
        guard watts > cap else {
            aboveSince = nil
            guard watts <= cap * Self.release, !steps.isEmpty else {
                belowSince = nil
                return .steady
            }
            let since = belowSince ?? seconds
            belowSince = since
            guard seconds - since >= calm else { return .steady }
            belowSince = seconds
            loosenedAt = seconds
            return .loosen
        }
        belowSince = nil
        guard let since = aboveSince else {
            (aboveSince, readings) = (seconds, 1)
            return .steady
        }
        readings += 1
        guard seconds - since >= Self.patience, readings >= Self.leastReadings else { return .steady }
        (aboveSince, readings) = (seconds, 0)
        if let last = loosenedAt { calm = seconds - last < calm ? min(calm * 2, Self.longestCalm) : Self.shortestCalm }
        loosenedAt = nil
        return .tighten(by: watts - cap)
    }

    package mutating func did(_ step: Step) { steps.append(step) }

    /// - Returns: what to undo: the last step, or all limits of the hardware together, of which each counts for the others.
    package mutating func undo() -> [Step] {
        guard let last = steps.popLast() else { return [] }
        guard case .limit = last else { return [last] }
        let limits = steps.filter { if case .limit = $0 { true } else { false } }
        steps.removeAll(where: limits.contains)
        return [last] + limits
    }

    /// Of a job that is over nothing is to be undone.
    package mutating func forget(_ id: JobID) {
        steps.removeAll { step in
            switch step {
            case .cpus(let job, _), .freeze(let job): job == id
            case .limit: false
            }
        }
    }
}

extension CapKeeper {
    /// A part of the machine that the hardware can hold down, in watts.
    package struct Part: Hashable, Sendable {
        package var key: String
        /// Drawn now; nil where no meter tells.
        package var drawn: Double?
        package var limit: Double
        /// No limit goes below this.
        package var least: Double

        package init(key: String, drawn: Double?, limit: Double, least: Double) {
            self.key = key
            self.drawn = drawn
            self.limit = limit
            self.least = least
        }

        /// What it can be brought down from: a limit far above what is drawn holds nothing.
        var present: Double { min(limit, drawn ?? limit) }
        var room: Double { max(0, present - least) }
    }

    /// A job that runs.
    package struct Candidate: Hashable, Sendable {
        package var id: JobID
        package var priority: Int
        /// What it computes with now.
        package var cpus: Int
        /// It may stand still.
        package var canFreeze: Bool

        package init(id: JobID, priority: Int, cpus: Int, canFreeze: Bool) {
            self.id = id
            self.priority = priority
            self.cpus = cpus
            self.canFreeze = canFreeze
        }
    }

    /// What to do about so many watts too much: hold the hardware down, each part by its share of what it can give; where that
    /// gives nothing more halve the CPUs of a job, of the lowest priority and the youngest first; and where all compute with one,
    /// freeze one of those that may stand still. Empty where nothing is left.
    package static func steps(against excess: Double, parts: [Part], jobs: [Candidate]) -> [Step] {
        let room = parts.map(\.room).reduce(0, +)
        if room >= 1 {
            let taken = min(excess, room)
            return parts.filter { $0.room > 0 }.map {
                .limit(key: $0.key, watts: max($0.least, $0.present - taken * $0.room / room))
            }
        }
        let order = jobs.sorted { $0.priority == $1.priority ? $0.id > $1.id : $0.priority < $1.priority }
        if let job = order.first(where: { $0.cpus > 1 }) { return [.cpus(job.id, job.cpus / 2)] }
        return order.first(where: \.canFreeze).map { [.freeze($0.id)] } ?? []
    }
}
