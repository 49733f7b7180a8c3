import JobAPI
import Units

/// One figure as people read it: what it is called, how it is written.
struct FigureLine {
    var title: String
    var value: (SimulationFigures) -> Double?
    var write: (Double) -> String
    /// It is a share already, so a change of it is one in points.
    var isShare = false

    /// All of them in the order of the table; those that no replay has are left out by whoever shows them.
    static var all: [FigureLine] {
        [
            count("jobs finished", \.jobsFinished), count("jobs timed out", \.jobsTimedOut),
            count("jobs refused", \.jobsRefused), count("jobs unfinished", \.jobsUnfinished),
            time("wait, mean", \.waitMeanS), time("wait, median", \.waitMedianS), time("wait, 95 %", \.p95WaitS),
            time("wait, longest", \.waitMaxS), plain("bounded slowdown, mean", \.boundedSlowdownMean),
            time("makespan", \.makespanS), share("CPUs in use, %", 1, \.cpuUtilisationPercent),
            share("GPUs in use, %", 1, \.gpuUtilisationPercent),
            FigureLine(title: "energy, kWh", value: { $0.energyJ / 3.6e6 }, write: { significant($0) }),
            FigureLine(title: "  of jobs, kWh", value: { $0.jobsEnergyJ / 3.6e6 }, write: { significant($0) }),
            FigureLine(title: "  idle, kWh", value: { $0.idleEnergyJ / 3.6e6 }, write: { significant($0) }),
            plain("peak, W", \.peakW), optional("carbon, gCO2e", \.carbonG),
            optional("  of jobs, gCO2e", \.jobsCarbonG), optional("  started at once, gCO2e", \.carbonBaselineG),
            share("carbon saved, %", 2, \.carbonSavedPercent),
            share("  lost to the forecast, points", 2, \.carbonLostToForecastPoints), optional("cost", \.cost),
            count("deadlines missed", \.deadlinesMissed), count("suspensions", \.suspensions),
            count("preemptions", \.preemptions),
        ]
    }

    /// Figures that say something only where they are not zero; missed deadlines also where there were any to miss.
    static let quiet: Set<String> = [
        "jobs timed out", "jobs refused", "jobs unfinished", "deadlines missed", "suspensions", "preemptions",
        "GPUs in use, %",
    ]

    private static func count(_ title: String, _ value: @escaping (SimulationFigures) -> Int) -> FigureLine {
        FigureLine(title: title, value: { Double(value($0)) }, write: { fixed($0, decimals: 0) })
    }

    static func time(_ title: String, _ value: @escaping (SimulationFigures) -> Double) -> FigureLine {
        FigureLine(title: title, value: value, write: { $0 == 0 ? "0 s" : brief(seconds: $0) })
    }

    private static func plain(_ title: String, _ value: @escaping (SimulationFigures) -> Double) -> FigureLine {
        FigureLine(title: title, value: value, write: { significant($0) })
    }

    private static func optional(_ title: String, _ value: @escaping (SimulationFigures) -> Double?) -> FigureLine {
        FigureLine(title: title, value: value, write: { significant($0) })
    }

    private static func share(
        _ title: String, _ decimals: Int, _ value: @escaping (SimulationFigures) -> Double?
    ) -> FigureLine {
        FigureLine(title: title, value: value, write: { fixed($0, decimals: decimals) }, isShare: true)
    }
}

extension SimulationReport {
    /// The figures as cells, a line each: its name, one cell per replay, and behind each but the first how it differs from that.
    var lines: [[String]] {
        let hasDeadlines = rows.contains { $0.figures.deadlines > 0 }
        return FigureLine.all.compactMap { line in
            let values = rows.map { line.value($0.figures) }
            let isQuiet = FigureLine.quiet.contains(line.title) && !(line.title == "deadlines missed" && hasDeadlines)
            if isQuiet, values.allSatisfy({ ($0 ?? 0) == 0 }) { return nil }
            return cells(line, values)
        }
    }

    var headings: [String] { headings("FIGURE") }

    /// Mean waits by user and what 95 % of theirs do not exceed, those with the most jobs first; none where there is but one user.
    /// - Parameter most: how many users.
    func waitLines(most: Int) -> [[String]] {
        let users = rows.map { row in
            Dictionary(row.figures.users.map { ($0.user, $0) }, uniquingKeysWith: { first, _ in first })
        }
        var jobs: [String: Int] = [:]
        for row in users { for (name, user) in row { jobs[name] = max(jobs[name] ?? 0, user.jobs) } }
        guard jobs.count > 1 else { return [] }
        let order = jobs.sorted { $0.value == $1.value ? $0.key < $1.key : $0.value > $1.value }
        var lines = order.prefix(most).flatMap { name, _ in
            let figures: [(String, (SimulationFigures.User) -> Double)] = [
                (name, \.waitMeanS), ("\(name), 95 %", \.p95WaitS),
            ]
            return figures.compactMap { title, figure in
                // One of whose jobs none started did not wait no time.
                cells(.time(title, \.waitMeanS), users.map { $0[name].flatMap { $0.jobs > 0 ? figure($0) : nil } })
            }
        }
        if order.count > most, let width = lines.first?.count {
            lines.append(["(and \(order.count - most) more)"] + Array(repeating: "", count: width - 1))
        }
        return lines
    }

    var waitHeadings: [String] { headings("WAIT BY USER") }

    private func headings(_ first: String) -> [String] {
        [first] + rows.enumerated().flatMap { $0.offset == 0 ? [$0.element.name] : [$0.element.name, "CHANGE"] }
    }

    /// Nil where no replay has the figure.
    private func cells(_ line: FigureLine, _ values: [Double?]) -> [String]? {
        if values.allSatisfy({ $0 == nil }) { return nil }
        return [line.title]
            + values.enumerated().flatMap { index, value in
                let cell = value.map(line.write) ?? "-"
                return index == 0 ? [cell] : [cell, Self.change(values[0], value, line)]
            }
    }

    var allNotes: [String] {
        notes + rows.flatMap { row in row.notes.map { rows.count > 1 ? "\(row.name): \($0)" : $0 } }
    }

    private static func change(_ old: Double?, _ new: Double?, _ line: FigureLine) -> String {
        guard let old, let new, old.isFinite, new.isFinite, line.write(old) != line.write(new) else { return "" }
        let sign = new > old ? "+" : ""
        if line.isShare { return sign + fixed(new - old, decimals: 1) + " points" }
        guard old != 0 else { return "" }
        // Of a wait of seconds that becomes hours nobody reads the percent.
        if new / old >= 10 { return "x " + significant(new / old) }
        return sign + fixed((new - old) / abs(old) * 100, decimals: 1) + " %"
    }
}
