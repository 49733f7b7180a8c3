import LinuxSystem
import Units

/// Which loads are measured, and for how long.
package struct CalibrationPlan: Sendable, Hashable {
    /// The machine's online CPUs.
    package var cpus: Int
    /// Busy CPUs of each step after the idle one, rising to all of them; a fraction is a CPU busy for that part of the time.
    package var levels: [Double]
    /// How long each step is measured.
    package var stepSeconds: Double
    /// How long a step runs before that: clocks and fans settle, and a slow meter catches up.
    package var settleSeconds: Double

    /// Half CPUs on small machines, up to eight levels on large ones; with `isQuick`, four.
    package init(cpus: Int, stepSeconds: Double, settleSeconds: Double, isQuick: Bool = false) {
        let count = isQuick ? 4 : min(8, max(4, 2 * cpus))
        self.cpus = cpus
        self.stepSeconds = stepSeconds
        self.settleSeconds = settleSeconds
        levels = (1...count).map { Double(cpus) * Double($0) / Double(count) }
    }

    /// As `mld calibrate` measures: steps of 10 s, of 3 s for a first impression, or as long as it is told.
    ///
    /// - Parameter isExternal: the meter is outside, and later than the machine's own.
    package init(cpus: Int, askedSeconds: Double?, isExternal: Bool, isQuick: Bool) {
        self.init(
            cpus: cpus, stepSeconds: askedSeconds ?? (isQuick ? 3 : 10), settleSeconds: isExternal ? 4 : 2,
            isQuick: isQuick)
    }

    package var seconds: Double { Double(levels.count + 1) * (stepSeconds + settleSeconds) }
}

/// One calibration: idle, then each load, measured once a second. It knows no clock, thread or meter but what it is given.
package struct CalibrationRun {
    package enum Reading: Sendable, Hashable {
        /// Mean utilisation (0 to 1) and power since the reading before.
        case sample(utilisation: Double, watts: Double)
        case gap(String)
    }

    package struct Outcome: Sendable, Hashable {
        package var points: [CalibrationPoint]
        /// What was measured and could not be used, with the reason.
        package var leftOut: [String]
        package var error: RelativeErrors
    }

    /// By how much the utilisation may differ from the intended one: more, and someone else computes too, or our load does
    /// not get the CPUs.
    package static let tolerance = 0.1

    private let plan: CalibrationPlan
    private let setLoad: (Double) throws(CalibrationError) -> Void
    private let wait: (Double) throws(CalibrationError) -> Void
    private let read: () -> Reading
    private let report: (String) -> Void

    /// - Parameters:
    ///   - setLoad: keeps so many CPUs busy from now on, in place of those before; 0 ends all load.
    ///   - wait: lets so many seconds pass; throws `interrupted` when it should end.
    ///   - read: the machine since the call before.
    ///   - report: a line of progress for people.
    package init(
        plan: CalibrationPlan, setLoad: @escaping (Double) throws(CalibrationError) -> Void,
        wait: @escaping (Double) throws(CalibrationError) -> Void, read: @escaping () -> Reading,
        report: @escaping (String) -> Void
    ) {
        self.plan = plan
        self.setLoad = setLoad
        self.wait = wait
        self.read = read
        self.report = report
    }

    /// - Throws: `interrupted`; that the machine does not idle; that too few steps can be used for a curve. No load is left
    ///   running.
    package func run() throws(CalibrationError) -> Outcome {
        do {
            let outcome = try measureAll()
            try setLoad(0)
            return outcome
        } catch {
            try setLoad(0)
            throw error
        }
    }

    /// Runs, and writes the file at the very end, whole or not at all.
    ///
    /// - Parameter calibration: what is made of the outcome; nil for none, and then no file is written.
    package func run(
        writingTo path: String, isCancelled: () -> Bool, calibration: (Outcome) -> Calibration?
    ) throws -> (Calibration, leftOut: [String])? {
        let outcome = try run()
        guard let result = calibration(outcome) else { return nil }
        // It may have been interrupted after the last wait.
        if isCancelled() { throw CalibrationError.interrupted }
        try AtomicFile.write(result.text, to: path)
        return (result, outcome.leftOut)
    }

    private func measureAll() throws(CalibrationError) -> Outcome {
        var points: [CalibrationPoint] = []
        var leftOut: [String] = []
        for (index, busy) in ([0] + plan.levels).enumerated() {
            let name = busy == 0 ? "idle" : "\(short(busy)) of \(plan.cpus) CPUs busy"
            let step = "step \(index + 1) of \(plan.levels.count + 1), \(name)"
            report(step)
            var result = try measure(busy)
            if case .refused(let reason) = result {
                report("\(step), once more: \(reason)")
                result = try measure(busy)
            }
            switch result {
            case .point(let point):
                report("  \(short(point.utilisation * 100)) % busy, \(short(point.watts)) W")
                points.append(point)
            case .refused(let reason) where busy == 0:
                throw .failed(
                    stage: "the idle step", message: reason,
                    advice: "stop mld's jobs and other programs, and see that the meter answers; then try again")
            case .refused(let reason):
                report("  left out: \(reason)")
                leftOut.append("\(name): \(reason)")
            }
        }
        let highest = points.map(\.utilisation).max() ?? 0
        guard points.count >= 4, highest >= Self.leastPeak, let error = CalibratedCurve.heldOutError(points),
            CalibratedCurve(fitting: points) != nil
        else {
            let advice = "try again when nothing else runs"
            let message =
                "of \(plan.levels.count) loads \(max(0, points.count - 1)) could be used, the highest "
                + "\(short(highest * 100)) % busy, and 3 up to \(short(Self.leastPeak * 100)) % are needed"
            throw .failed(stage: "the curve", message: ([message] + leftOut).joined(separator: "; "), advice: advice)
        }
        return Outcome(points: points, leftOut: leftOut, error: error)
    }

    /// Above the highest measured load the curve holds its end, so that end must be near full load.
    static let leastPeak = 0.75

    private enum Step {
        case point(CalibrationPoint)
        case refused(String)
    }

    private func measure(_ busy: Double) throws(CalibrationError) -> Step {
        try setLoad(busy)
        try wait(plan.settleSeconds)
        // The interval up to here holds the change of load.
        _ = read()
        let count = max(1, Int(plan.stepSeconds.rounded()))
        var samples: [(utilisation: Double, watts: Double)] = []
        var gap = "the meter gave nothing"
        for _ in 0..<count {
            try wait(plan.stepSeconds / Double(count))
            switch read() {
            case .sample(let utilisation, let watts): samples.append((utilisation, watts))
            case .gap(let reason): gap = reason
            }
        }
        guard 2 * samples.count > count, let utilisation = median(samples.map(\.utilisation)),
            let watts = median(samples.map(\.watts))
        else { return .refused("\(count - samples.count) of \(count) readings failed: \(gap)") }
        let intended = busy / Double(plan.cpus)
        guard abs(utilisation - intended) <= Self.tolerance else {
            return .refused(
                "the machine was \(short(utilisation * 100)) % busy, where \(short(intended * 100)) % was meant")
        }
        guard watts > 0 else { return .refused("the meter says \(short(watts)) W") }
        let spread = median(samples.map { abs($0.watts - watts) }) ?? 0
        return .point(CalibrationPoint(utilisation: utilisation, watts: watts, spreadWatts: spread))
    }

    private func short(_ value: Double) -> String { significant(value) }
}
