import ArgumentParser
import BenchmarkSupport
import FoundationEssentials
import Metering

/// How far the model of a machine without a power counter is from measured power.
struct FallbackModel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fallback-model", abstract: "The calibrated model, and others, against published load sweeps.")

    static let goal = 0.2
    /// Two sweeps of one processor whose peaks differ by more than this factor show that one of them, or both, are wrong.
    static let agreement = 1.25

    @OptionGroup var options: BenchmarkOptions

    func run() throws {
        let directory = try directory()
        let all = try LoadSweep.all(in: directory)
        var errors: [Errors] = []
        for name in all.map(\.cpu).uniqued() {
            let calibrations = all.filter { $0.cpu == name && $0.kind == "all_cores" }
            let peaks = calibrations.map(\.peakWatts)
            if let low = peaks.min(), let high = peaks.max(), high > low * Self.agreement {
                complain(
                    "left out: \(name), swept \(peaks.count) times with peaks of "
                        + peaks.map { "\(Int($0.rounded())) W" }.joined(separator: " and "))
                continue
            }
            guard let calibration = calibrations.first,
                let test = all.first(where: { $0.cpu == name && $0.kind == "some_cores" }),
                let result = Errors(calibration: calibration, test: test)
            else { throw ValidationError("the sweeps of \(name) are not complete") }
            errors.append(result)
        }
        guard !errors.isEmpty else { throw ValidationError("no load sweeps in \(directory)") }
        try options.finish(errors.flatMap(rows) + means(of: errors))
    }

    private func directory() throws -> String {
        guard let data = options.data else {
            throw ValidationError("--data DIR is needed: the directory of CodeCarbon's cpu_load_profiling/*.csv")
        }
        let inner = data + "/factors/codecarbon/cpu_load_profiling"
        return FileManager.default.fileExists(atPath: inner) ? inner : data
    }

    private func rows(_ errors: Errors) -> [BenchmarkRow] {
        func row(_ points: String, _ ours: Double?, _ peer: Double?) -> BenchmarkRow {
            BenchmarkRow(
                "\(errors.cpu): \(points)", ours, unit: "mean relative error", peer: "CodeCarbon", peerValue: peer)
        }
        return [
            row("loaded points", errors.calibrated.loaded, errors.codeCarbon.loaded),
            row("all points", errors.calibrated.all, errors.codeCarbon.all),
            BenchmarkRow("\(errors.cpu): held out of its calibration", errors.heldOut, unit: "mean relative error"),
        ]
    }

    private func means(of errors: [Errors]) -> [BenchmarkRow] {
        func mean(_ value: (Errors) -> Double?) -> Double? {
            let values = errors.compactMap(value)
            return values.count == errors.count ? values.reduce(0, +) / Double(values.count) : nil
        }
        let ours = mean(\.calibrated.loaded)
        func row(_ name: String, _ value: Double?, goal: Double? = nil, _ peer: String? = nil, _ other: Double? = nil)
            -> BenchmarkRow
        {
            BenchmarkRow(
                "mean: \(name)", value, unit: "mean relative error", atMost: goal, peer: peer, peerValue: other)
        }
        return [
            row("loaded points", ours, goal: Self.goal, "CodeCarbon", mean(\.codeCarbon.loaded)),
            row("loaded points", ours, goal: Self.goal, "TDP x load", mean(\.tdp.loaded)),
            row("loaded points", ours, goal: Self.goal, "CodeCarbon's records", mean(\.recorded.loaded)),
            row("loaded points", ours, goal: Self.goal, "line from idle to full", mean(\.idleToFull.loaded)),
            row("all points", mean(\.calibrated.all), "CodeCarbon", mean(\.codeCarbon.all)),
            row("loaded points, the other way round", mean(\.reversed)),
            row("loaded points, table", mean(\.table.loaded), "CodeCarbon", mean(\.codeCarbon.loaded)),
            BenchmarkRow(
                "nine tenths of the loaded points", RelativeErrors(errors.flatMap(\.loadedPairs))?.p90,
                unit: "relative error at most"),
        ]
    }
}

/// The errors of each model on one processor's sweep over some cores.
private struct Errors {
    /// Mean absolute relative errors; nil where the model has no figure for the processor.
    struct Score {
        var loaded: Double?
        var all: Double?
    }

    var cpu: String
    var calibrated: Score
    var codeCarbon: Score
    var tdp: Score
    /// The estimates CodeCarbon wrote into the sweeps itself, in January 2025: for the Threadripper by a curve of its own.
    var recorded: Score
    var idleToFull: Score
    var table: Score
    /// Calibrated over some cores and tested over all.
    var reversed: Double?
    var heldOut: Double?
    var loadedPairs: [(predicted: Double, measured: Double)]

    init?(calibration: LoadSweep, test: LoadSweep) {
        guard let curve = CalibratedCurve(fitting: calibration.calibration),
            let backwards = CalibratedCurve(fitting: test.calibration),
            let idle = calibration.points.first(where: { !$0.isLoaded }),
            let full = calibration.points.max(by: { $0.utilisation < $1.utilisation })
        else { return nil }
        func score(_ model: ((LoadSweep.Point) -> Double)?) -> Score {
            guard let model else { return Score() }
            func error(_ points: [LoadSweep.Point]) -> Double? {
                RelativeErrors(points.map { (model($0), $0.watts) })?.mean
            }
            return Score(loaded: error(test.points.filter(\.isLoaded)), all: error(test.points))
        }
        cpu = calibration.cpu
        calibrated = score { curve.watts(at: $0.utilisation) }
        recorded = score { $0.recordedEstimate }
        let line = PiecewiseLine([.init(idle.utilisation, idle.watts), .init(full.utilisation, full.watts)])
        idleToFull = score { line.value(at: $0.utilisation) }
        let published = SweptProcessor.named(cpu)
        tdp = score(published.map { cpu in { cpu.tdp * $0.utilisation } })
        // Its model of a whole machine by load (`codecarbon/external/hardware.py`): a tenth of the TDP, and a cube.
        codeCarbon = score(
            published.map { cpu in
                { cpu.tdp * (0.1 + 0.9 * $0.utilisation * $0.utilisation * $0.utilisation) }
            })
        table = score(
            published.map { cpu in
                let coefficients = CPUCoefficients(for: cpu.identity)
                return { coefficients.point.watts(at: $0.utilisation) * Double(cpu.threads) }
            })
        reversed =
            RelativeErrors(
                calibration.points.filter(\.isLoaded).map { (backwards.watts(at: $0.utilisation), $0.watts) })?.mean
        heldOut = CalibratedCurve.heldOutError(calibration.calibration)?.mean
        loadedPairs = test.points.filter(\.isLoaded).map { (curve.watts(at: $0.utilisation), $0.watts) }
    }
}

extension Array where Element: Hashable {
    /// Each element once, where it first stood.
    fileprivate func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
