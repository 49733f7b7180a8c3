import BenchmarkSupport

/// What the attribution benchmark prints of its schedules.
struct AttributionRows {
    /// The counter is renewed every millisecond, and no schedule is shorter than 140 s.
    static let meterTolerance = 1e-5

    private(set) var rows: [BenchmarkRow] = []
    private let schedules: [AttributionSchedule]
    private let jobs: [AttributionSchedule.Job]

    init(_ schedules: [AttributionSchedule]) {
        self.schedules = schedules
        jobs = schedules.flatMap(\.jobs)
        addSums()
        addErrors()
        addRanges()
    }

    private mutating func addSums() {
        let residual = schedules.map { $0.residual.values.map(abs).max() ?? 0 }.max() ?? 0
        rows.append(BenchmarkRow("parts - metered, worst schedule", Double(residual), unit: "uJ", atMost: 0))
        rows.append(
            BenchmarkRow(
                "metered / true joules - 1, worst schedule", schedules.map { abs($0.meteredPart - 1) }.max(), unit: "",
                atMost: Self.meterTolerance))
        for rule in SimpleRule.allCases {
            let sums = schedules.compactMap { $0.ruledSum[rule] }
            var row = BenchmarkRow(
                "sum of parts / metered", residual == 0 ? 1 : nil, unit: "", peer: rule.name,
                peerValue: Self.quantile(sums, 0.5))
            // The nearer to 1 the better: neither more nor less is.
            row.ratio = nil
            rows.append(row)
        }
        rows.append(
            BenchmarkRow(
                "readings without a figure", Double(schedules.reduce(0) { $0 + $1.gaps }), unit: "", atMost: 0))
    }

    private mutating func addErrors() {
        let learned = jobs.map { $0.error(.learned) }
        for (name, quantile, goal) in [("median", 0.5, 0.02), ("90th percentile", 0.9, nil)] {
            rows.append(
                BenchmarkRow(
                    "error per job, \(name)", Self.quantile(learned, quantile), unit: "", atMost: goal,
                    peer: "plain CPU time", peerValue: Self.quantile(jobs.map { $0.error(.plain) }, quantile)))
            for rule in SimpleRule.allCases {
                rows.append(
                    BenchmarkRow(
                        "error per job, \(name)", Self.quantile(learned, quantile), unit: "", peer: rule.name,
                        peerValue: Self.quantile(jobs.map { $0.error(rule) }, quantile)))
            }
        }
        let alone = jobs.filter { !$0.overlapped }
        addComparison("error per job that ran alone", alone) { $0.error($1) }
        addComparison("error per job that overlapped", jobs.filter(\.overlapped)) { $0.error($1) }
        addComparison("error of the active part", jobs) { $0.activeError($1) }
        addComparison("error of the active part, overlapped", jobs.filter(\.overlapped)) { $0.activeError($1) }
        rows.append(BenchmarkRow("jobs", Double(jobs.count), unit: ""))
        rows.append(BenchmarkRow("jobs that ran alone", Double(alone.count), unit: ""))
    }

    private mutating func addComparison(
        _ name: String, _ jobs: [AttributionSchedule.Job],
        _ error: (AttributionSchedule.Job, AttributionPipeline.Method) -> Double
    ) {
        for (which, quantile) in [("median", 0.5), ("90th percentile", 0.9)] {
            rows.append(
                BenchmarkRow(
                    "\(name), \(which)", Self.quantile(jobs.map { error($0, .learned) }, quantile), unit: "",
                    peer: "plain CPU time", peerValue: Self.quantile(jobs.map { error($0, .plain) }, quantile)))
        }
    }

    private mutating func addRanges() {
        func covered(_ jobs: [AttributionSchedule.Job], _ method: AttributionPipeline.Method) -> Double? {
            jobs.isEmpty ? nil : Double(jobs.count { $0.covers(method) }) / Double(jobs.count)
        }
        rows.append(
            BenchmarkRow(
                "truth within the range", covered(jobs, .learned), unit: "", atLeast: 0.95, peer: "plain CPU time",
                peerValue: covered(jobs, .plain)))
        for (name, some) in [("alone", jobs.filter { !$0.overlapped }), ("overlapped", jobs.filter(\.overlapped))] {
            rows.append(BenchmarkRow("truth within the range, \(name)", covered(some, .learned), unit: ""))
            rows.append(
                BenchmarkRow(
                    "width of the range, \(name), median", Self.quantile(some.map { $0.width(.learned) }, 0.5),
                    unit: ""))
        }
    }

    /// The value below which a part of the values lies; nil for none.
    private static func quantile(_ values: [Double], _ part: Double) -> Double? {
        let sorted = values.sorted()
        return sorted.isEmpty ? nil : sorted[min(sorted.count - 1, Int(part * Double(sorted.count)))]
    }
}
