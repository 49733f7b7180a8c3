import Units

/// Goes through a replay from its begin to its end with the power of each moment.
struct PowerSweep {
    private struct Change {
        var at: Timestamp
        var watts: Double
    }

    /// In watts: at the busiest moment.
    private(set) var peak: Double
    /// The area under the curve, in joules.
    private(set) var energy = 0.0
    private(set) var bins: [Double]
    let step: Double
    private(set) var carbonByHour: [Double]

    static let mostBins = 400

    init(_ log: ReplayLog, _ trace: Trace, _ machine: SimulatedMachine, _ prices: GridPrices) {
        var changes: [Change] = []
        changes.reserveCapacity(log.segments.count * 2)
        for segment in log.segments {
            let index = Int(segment.job)
            let watts = machine.power(of: trace.jobs[index], gpuPart: log.runs[index].gpuPart) * segment.share
            guard watts > 0, segment.from < segment.to else { continue }
            changes.append(Change(at: segment.from, watts: watts))
            changes.append(Change(at: segment.to, watts: -watts))
        }
        // What ends makes room for what begins in the same moment.
        changes.sort { $0.at == $1.at ? $0.watts < $1.watts : $0.at < $1.at }
        let length = max(0, log.end.since(log.begin).seconds)
        step = length / Double(Self.mostBins)
        bins = length > 0 ? Array(repeating: 0, count: Self.mostBins) : []
        carbonByHour = prices.hasIntensity ? Array(repeating: 0, count: 24) : []
        peak = machine.idlePower
        var now = log.begin
        var watts = machine.idlePower
        var running = 0
        for change in changes {
            add(watts: watts, now, change.at, log.begin, prices)
            now = max(now, change.at)
            running += change.watts > 0 ? 1 : -1
            // Sums of differences drift; a machine at rest draws exactly its idle power.
            watts = running == 0 ? machine.idlePower : watts + change.watts
            peak = max(peak, watts)
        }
        add(watts: watts, now, log.end, log.begin, prices)
        if step > 0 { bins = bins.map { $0 / step } }
    }

    private mutating func add(
        watts: Double, _ from: Timestamp, _ to: Timestamp, _ begin: Timestamp, _ prices: GridPrices
    ) {
        guard from < to else { return }
        energy += watts * to.since(from).seconds
        guard watts != 0 else { return }
        fill(watts: watts, from.since(begin).seconds, to.since(begin).seconds)
        guard !carbonByHour.isEmpty else { return }
        var start = from
        while start < to {
            let hour = Self.hours(start)
            let next = Timestamp(microseconds: (hour + 1) * Self.hour)
            let end = min(to, next)
            carbonByHour[Int(((hour % 24) + 24) % 24)] += prices.grams(watts: watts, start, end).amount
            start = end
        }
    }

    /// Joules into the bins, which become watts at the end.
    private mutating func fill(watts: Double, _ from: Double, _ to: Double) {
        guard step > 0 else { return }
        var start = from
        var bin = min(Int(from / step), bins.count - 1)
        while start < to {
            let isLast = bin == bins.count - 1
            let end = isLast ? to : min(to, Double(bin + 1) * step)
            bins[bin] += watts * max(0, end - start)
            if isLast { return }
            start = max(start, end)
            bin += 1
        }
    }

    private static let hour: Int64 = 3_600_000_000

    /// Whole hours since 1970, rounded down.
    private static func hours(_ time: Timestamp) -> Int64 {
        let quotient = time.microseconds / hour
        return time.microseconds % hour < 0 ? quotient - 1 : quotient
    }
}
