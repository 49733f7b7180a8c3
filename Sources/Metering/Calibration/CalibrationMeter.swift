import Glibc
package import LinuxSystem
import Units

/// What a calibration takes for the truth: the machine's own counters, or a meter outside that a command asks.
package struct CalibrationMeter {
    /// How long the command may take, in seconds: it is asked once a second, and a meter behind a network may be slow.
    package static let commandSeconds = 5.0

    /// For the file: `package-0 + dram-0 (RAPL counter ...)`, `external: ...`.
    package let source: String
    package let coverage: Calibration.Coverage
    /// The cards that are not in a board's watts.
    package let without: Set<String>
    package var isExternal: Bool { command != nil }

    private let command: ExternalMeter?
    /// The domains whose energy is added up, or, beside an external meter, taken off.
    private let domains: [String: DomainKind]
    private var meters: MeterSet
    private var load: LoadMeter
    private var last: Int64?

    /// - Parameter command: prints the watts of the whole machine; nil for the machine's own counters.
    /// - Throws: that there is nothing to measure with and what would help; that the command gives no figure.
    package init(
        roots: SystemRoots, command: String?, isCancelled: @escaping @Sendable () -> Bool
    ) throws(CalibrationError) {
        meters = MeterSet(discovering: roots)
        load = LoadMeter(roots: roots)
        let measured = meters.descriptions.filter { $0.counted && $0.tier == .measured }
        let cards = measured.filter { $0.kind == .gpu }
        func kinds(_ used: [MeterDescription]) -> [String: DomainKind] {
            Dictionary(used.map { ($0.domain, $0.kind) }, uniquingKeysWith: { first, _ in first })
        }
        if let command {
            let external = ExternalMeter(command: command, isCancelled: isCancelled)
            if case .failure(let reason) = external.watts() {
                if isCancelled() { throw .interrupted }
                throw .failed(
                    stage: "--watts-from", message: reason.message,
                    advice: "the command must print the machine's watts as one number")
            }
            let names = cards.map(\.domain)
            let words = command.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            source = String(
                ("external: \(words)" + (names.isEmpty ? "" : ", less \(names.joined(separator: ", "))")).prefix(100))
            coverage = .board
            domains = kinds(cards)
            self.command = external
        } else {
            let boards = measured.filter { $0.kind == .platform }
            let used = boards.isEmpty ? measured.filter { $0.kind == .cpu || $0.kind == .memory } : boards
            guard used.contains(where: { $0.kind != .memory }), let first = used.first else {
                let found = meters.descriptions.filter { !$0.counted }.map { "\($0.domain) \($0.status)" }
                throw .failed(
                    stage: "the meter",
                    message: (["no power meter of the processors can be read"] + found).joined(separator: "; "),
                    advice: "run as root where RAPL counters exist, or name a command that prints the machine's watts: "
                        + "--watts-from 'ipmitool dcmi power reading | awk \"/Instant/{print \\$4}\"'")
            }
            let names = used.map(\.domain).joined(separator: " + ")
            source = String("\(names) (\(first.source))".prefix(100))
            let hasMemory = used.contains { $0.kind == .memory }
            coverage = boards.isEmpty ? (hasMemory ? .cpuAndMemory : .cpu) : .board
            domains = kinds(used)
            self.command = nil
        }
        // The board's own meter is told without them too.
        without = coverage == .board ? Set(cards.map(\.domain)) : []
    }

    /// Utilisation and watts since the call before; the first call gives a gap.
    package mutating func read() -> CalibrationRun.Reading {
        // Asked first: it takes time, and the interval must end together with the machine's own readings.
        let outside = command?.watts()
        return read(outside, at: .now(), monotonicNanoseconds: SystemClock.monotonicNanoseconds())
    }

    /// - Parameter outside: what the meter outside says; nil without one.
    mutating func read(
        _ outside: Result<Double, ExternalMeter.Failure>?, at wall: Timestamp, monotonicNanoseconds now: Int64
    ) -> CalibrationRun.Reading {
        let before = last
        last = now
        let load: MachineLoad?
        do {
            load = try self.load.sample()
        } catch {
            return .gap("\(error)")
        }
        let samples = meters.sample(at: wall, monotonicNanoseconds: now, load: load)
            .filter { domains[$0.domain] != nil }
        guard let before, let load else { return .gap("the first reading has no interval") }
        if let reason = missing(samples) { return .gap(reason) }
        let seconds = Double(now - before) / 1e9
        var watts = 0.0
        for sample in samples {
            guard let power = sample.power else { return .gap("\(sample.domain): \(sample.gap ?? "no figure")") }
            watts += power.watts
        }
        switch outside {
        case nil: break
        case .success(let whole): watts = whole - watts
        case .failure(let reason): return .gap(reason.message)
        }
        return .sample(utilisation: load.utilisation(over: seconds), watts: watts)
    }

    /// Names what gave no sample at all, as a counter that was taken out of use meanwhile: the watts would hold less than the
    /// file says. A package that mirrors another gives none either, but of its kind there is one.
    private func missing(_ samples: [DomainSample]) -> String? {
        let told = Set(samples.map(\.domain))
        let kinds = Set(samples.map(\.kind))
        let silent = domains.filter { !told.contains($0.key) && ($0.value == .gpu || !kinds.contains($0.value)) }
        return silent.isEmpty ? nil : "\(silent.keys.sorted().joined(separator: ", ")) gave no sample"
    }
}

/// A command that prints watts: a smart plug, a power distribution unit, a board controller.
struct ExternalMeter: Sendable {
    struct Failure: Error, Hashable {
        var message: String
    }

    let command: String
    let isCancelled: @Sendable () -> Bool

    func watts() -> Result<Double, Failure> {
        let output: ProcessSpawner.Output?
        do {
            output = try ProcessSpawner.run(
                "/bin/sh", arguments: ["-c", command], environment: Self.environment,
                seconds: CalibrationMeter.commandSeconds, isCancelled: isCancelled)
        } catch {
            return .failure(Failure(message: "\(error)"))
        }
        guard let output else {
            return .failure(Failure(message: "no answer within \(Int(CalibrationMeter.commandSeconds)) s"))
        }
        guard output.status == 0 else { return .failure(Failure(message: "\"\(command)\" failed")) }
        return Self.watts(in: output.text)
    }

    /// `215`, `215.3 W`, `215 Watts`, with white space around.
    static func watts(in text: String) -> Result<Double, Failure> {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard let first = words.first, words.count == 1 || (words.count == 2 && isWatt(words[1])),
            let watts = Double(first.hasSuffix("W") ? first.dropLast() : first), watts > 0,
            watts <= Calibration.mostWatts
        else {
            return .failure(Failure(message: "\"\(words.joined(separator: " ").prefix(60))\" is not a number of watts"))
        }
        return .success(watts)
    }

    private static func isWatt(_ word: Substring) -> Bool { ["w", "watt", "watts"].contains(word.lowercased()) }

    /// The command is the caller's own and finds what its shell would find.
    private static var environment: [String: String] {
        var result = ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        for name in ["PATH", "HOME", "USER", "LANG"] {
            if let value = getenv(name) { result[name] = String(cString: value) }
        }
        return result
    }
}
