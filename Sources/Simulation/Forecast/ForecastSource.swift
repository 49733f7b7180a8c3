import Carbon
import Scheduling
import Units

/// Tells a replay's scheduler what it may know at each moment.
struct ForecastSource: Sendable {
    let settings: SimulatedForecast
    /// The truth in slots.
    private let intensity: SignalSeries?
    private let price: SignalSeries?
    private var intensityModel: PastModel?
    private var priceModel: PastModel?

    /// How far what is not perfect looks ahead.
    static let ahead = Duration.seconds(7 * 86_400)

    init(_ settings: SimulatedForecast) {
        self.settings = settings
        func slots(_ series: SignalSeries?) -> SignalSeries? {
            series.flatMap { (try? $0.resampled(to: settings.step, by: .mean)) ?? $0 }
        }
        intensity = slots(settings.intensity)
        price = slots(settings.price)
        if settings.kind == .model {
            intensityModel = settings.intensity.map { PastModel(.intensity, $0) }
            priceModel = settings.price.map { PastModel(.price, $0) }
        }
    }

    /// Whether there will be news after the first.
    var changes: Bool { settings.kind != .perfect }

    /// When the news after that of `now` comes: at whole multiples of its time since 1970.
    func next(after now: Timestamp) -> Timestamp {
        let length = settings.every.components.seconds * 1_000_000
        let rest = now.microseconds % length
        return Timestamp(microseconds: now.microseconds - (rest < 0 ? rest + length : rest) + length)
    }

    mutating func forecast(at now: Timestamp) -> ShiftForecast {
        switch settings.kind {
        case .perfect: return ShiftForecast(carbon: intensity, price: price, slot: settings.step)
        case .noise(let percent, let seed):
            return ShiftForecast(
                carbon: intensity.flatMap { Self.noisy($0, now, percent, seed) },
                price: price.flatMap { Self.noisy($0, now, percent, seed ^ 0x5DEE_CE66) }, slot: settings.step)
        case .model:
            return ShiftForecast(
                carbon: intensityModel?.series(at: now, step: settings.step),
                price: priceModel?.series(at: now, step: settings.step), slot: settings.step)
        }
    }

    // MARK: - Noise

    static func noisy(_ series: SignalSeries, _ now: Timestamp, _ percent: Double, _ seed: UInt64) -> SignalSeries? {
        let from = max(now, series.start)
        guard let part = series.part(from, now.advanced(by: ahead)) else { return nil }
        let values = part.values.enumerated().map { index, value in
            let start = part.time(at: index)
            let hours = max(0, start.since(now).seconds / 3600)
            let error = percent / 100 * (hours / 24).squareRoot() * normal(seed, UInt64(bitPattern: start.microseconds))
            return min(value * max(0, 1 + error), SignalSeries.largestValue)
        }
        return try? SignalSeries(start: part.start, step: part.step, values: values)
    }

    /// A number of mean 0 and deviation 1, nearly normal: the sum of twelve even ones less six. The same for the same arguments.
    static func normal(_ seed: UInt64, _ slot: UInt64) -> Double {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 ^ slot
        var sum = 0.0
        for _ in 0..<12 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            sum += Double((z ^ (z >> 31)) >> 11) * 0x1p-53
        }
        return sum - 6
    }
}

/// The daemon's model of a signal, told the truth up to each moment.
private struct PastModel: Sendable {
    private let truth: SignalSeries
    private var signal: Signal
    /// The first step that was not told yet.
    private var told = 0

    init(_ quantity: SignalQuantity, _ truth: SignalSeries) {
        self.truth = truth
        signal = Signal(quantity)
    }

    mutating func series(at now: Timestamp, step: Duration) -> SignalSeries? {
        let end = now >= truth.end ? truth.values.count : (truth.index(at: now).map { $0 + 1 } ?? 0)
        // Nothing older than what the model looks at.
        told = max(told, end - Int(ForecastModel.historyHours * 3600) / max(1, Int(truth.step.components.seconds)))
        if told < end {
            let points = (told..<end).map {
                SignalPoint(from: truth.time(at: $0), to: truth.time(at: $0 + 1), value: truth.values[$0])
            }
            signal.receive(SignalReading(measured: points), source: "the replay", at: now)
            told = end
        }
        return signal.planningSeries(now: now, ahead: ForecastSource.ahead, step: step)
    }
}
