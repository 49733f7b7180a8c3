import LinuxSystem
import Units

/// One NVIDIA card: its meter, who is on it, and the question that its driver may owe an answer to.
struct NVMLCard: Sendable {
    private(set) var description: MeterDescription
    private let library: NVML
    private let device: NVML.Device
    /// What stands in its source after the name of what is read.
    private let suffix: String
    /// Nil while it is not known what the card has: it has told nothing yet but its name.
    private var meter: CheckedMeter?
    private var processes = CardProcesses()
    /// What was asked last; kept while there is no answer, so that no second call is left hanging in the driver.
    private var question: BoundedCall<NVMLAnswer>?
    /// Whether the answer is to a question of an earlier interval, at a moment that nobody knows.
    private var isLate = false

    /// NVIDIA does not state how often the counter renews: our allowance.
    static let renewalSeconds = 0.1
    private static let silence = NVML.Failure(code: -1, message: "NVML does not answer")

    init(_ found: NVMLSearch.Card, _ library: NVML) {
        self.library = library
        device = found.device
        let divided = found.isDivided ? ", divided into instances (MIG): metered as a whole" : ""
        suffix = "of \(found.name) through NVML\(divided)"
        description = MeterDescription(
            domain: Self.domain(uuid: found.uuid), kind: .gpu, source: "power sensor \(suffix)",
            tier: .measured, updatesPerSecond: 1 / Self.renewalSeconds)
        equip(found.answer)
    }

    static func domain(uuid: String) -> String {
        let name = uuid.lowercased()
        return name.hasPrefix("gpu-") ? name : "gpu-\(uuid)"
    }

    /// Takes what the card has from its first whole answer.
    private mutating func equip(_ answer: NVMLAnswer) {
        guard meter == nil, let hasCounter = answer.hasCounter, let hasSensor = answer.hasSensor else { return }
        let counter = EnergyCounter(
            range: nil, ceiling: PowerBound.card, renewalSeconds: Self.renewalSeconds, standstillSeconds: 0.5)
        meter = CheckedMeter(
            counter: hasCounter ? counter : nil, sensor: hasSensor ? PowerIntegral(ceiling: PowerBound.card) : nil)
        name()
    }

    private mutating func name() {
        description.source = "\(meter?.counter == nil ? "power sensor" : "energy counter") \(suffix)"
    }

    /// Asks the driver, without waiting.
    /// - Parameter tick: nil before the first interval.
    mutating func ask(_ tick: MeterTick?) {
        if let question, question.answer(within: 0) == nil {
            isLate = true
            return
        }
        isLate = false
        let since = tick.map { processes.since($0) }
        // Where the system gives no thread there is no answer either.
        question = try? BoundedCall { [library, device] in NVMLAnswer(library, device, since: since) }
    }

    private mutating func answer(within seconds: Double) -> NVMLAnswer {
        guard !isLate, let answer = question?.answer(within: seconds) else { return NVMLAnswer(Self.silence) }
        question = nil
        return answer
    }

    /// Takes the answer from which the next interval counts.
    mutating func begin(within seconds: Double) {
        let answer = answer(within: seconds)
        equip(answer)
        meter?.begin(answer.values)
        processes.begin(running: try? answer.running.get())
    }

    mutating func sample(_ tick: MeterTick, within seconds: Double) -> DomainSample {
        let answer = answer(within: seconds)
        let reading: DomainSample.Reading
        if meter == nil {
            equip(answer)
            meter?.begin(answer.values)
            reading = .gap(Self.reason(answer) ?? "the card came back: no reading at the start of the interval")
        } else {
            reading = meter?.reading(answer.values, over: tick.seconds, doubt: tick.doubt) ?? .gap("")
        }
        name()
        var sample = description.sample(reading, over: tick)
        sample.processes = processes.uses(
            running: try? answer.running.get(), samples: try? answer.samples.get(), tick: tick)
        if sample.gap == nil {
            description.status = ["ok", meter?.verdict, blindness(answer)].compactMap(\.self).joined(separator: "; ")
        }
        return sample
    }

    private static func reason(_ answer: NVMLAnswer) -> String? {
        for case .failure(let failure)? in [answer.microjoules.map { _ in () }, answer.watts.map { _ in () }]
        where failure.code != NVML.Failure.notSupported {
            return failure.reason
        }
        return nil
    }

    /// What cannot be told of the processes on it.
    private func blindness(_ answer: NVMLAnswer) -> String? {
        if case .failure(let failure) = answer.running { return "who is on it cannot be told (\(failure.message))" }
        guard case .failure(let failure) = answer.samples else { return nil }
        return "how busy each process keeps it cannot be told (\(failure.message))"
    }
}
