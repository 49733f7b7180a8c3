import Carbon
import ConfigFile
import JobAPI
import Policy
import Simulation
import Units

/// Everything a replay needs, read and checked before the first begins.
struct SimulationInputs: Sendable {
    var trace: Trace
    /// How the trace is called.
    var name: String
    var machine: SimulatedMachine
    var prices: GridPrices
    var options: Replay.Options
    /// What was assumed, one sentence each.
    var notes: [String] = []

    /// The word that stands for the daemon's own past.
    static let ledger = "ledger"

    /// - Parameter sites: the policies that may tell where the machine stands, which is the same for every replay: the first
    ///   that says anything of it is asked.
    static func read(
        _ given: SimulationOptions, sites: [PolicySet], _ global: GlobalOptions, in context: Context
    ) async throws -> SimulationInputs {
        guard given.trace == ledger else {
            if given.since != nil || given.until != nil {
                throw Failure.usage(
                    "--since and --until choose from the ledger: give --trace ledger, or leave them out")
            }
            return try await showingWait("reading", context) { try SimulationInputs(given, sites: sites, history: nil) }
        }
        let now = context.now()
        let (since, until) = (given.since?.timestamp(now: now), given.until?.timestamp(now: now))
        if let since, let until, until <= since {
            throw Failure.usage("--until (\(until)) must be later than --since (\(since))")
        }
        let history = try await loadHistory(global, since: since, until: until, in: context)
        guard !history.jobs.isEmpty else {
            let others = history.isEverybodys ? "" : "; those of others are for who may see them ([access] see-others)"
            throw Failure.failed("ledger: no job ran and ended in that period\(others)")
        }
        return try await showingWait("reading", context) { try SimulationInputs(given, sites: sites, history: history) }
    }

    private init(_ given: SimulationOptions, sites: [PolicySet], history: History?) throws {
        let slot = try Self.step(given.step)
        let kind = try Self.usage { () throws(UnitError) in
            try SimulatedForecast.kind(parsing: given.forecast, seed: given.seed)
        }
        guard (0...86_400).contains(given.restartCost) else {
            throw Failure.usage("--restart-cost is \(given.restartCost); it must be from 0 to 86400 seconds")
        }
        name = history == nil ? String(given.trace.split(separator: "/").last ?? "") : Self.ledger
        trace = try history.map { Trace(history: $0) } ?? Self.trace(given.trace)

        let file = try given.machine.map { path in
            let text = try readText(path)
            return try described { try MachineFile(text, file: path) }
        }
        let machineFile = file ?? history?.machine.map { MachineFile($0) } ?? MachineFile()
        let isUnlimited = given.capacity == .unlimited
        guard let machine = machineFile.machine(processors: trace.processors, isUnlimited: isUnlimited) else {
            throw Failure.usage(
                "nobody says how many CPUs the machine has: give --machine FILE with \"cpus = 16\", or --capacity unlimited"
            )
        }
        self.machine = machine
        notes += machineFile.note(for: trace).map { [$0] } ?? []
        if file == nil, let own = history?.machine { notes += Self.notes(on: own) }

        var ownPUE: Double?
        var intensity = try given.signal.map { try Self.series($0, .intensity, slot) }
        let price = try given.price.map { try Self.series($0, .price, slot) }
        prices = GridPrices(price: price)
        if intensity == nil, let history {
            let own = try described { try history.intensity(step: slot) }
            intensity = own.series
            prices.steadyIntensity = own.last
            ownPUE = history.intensities.last?.pue
            notes += Self.note(on: own).map { [$0] } ?? []
        }
        prices.intensity = intensity
        let statesLimits = trace.jobs.contains { $0.timeLimit != nil }
        options = Replay.Options(limits: given.limits ?? (statesLimits ? .learned : .exact))
        if given.limits == nil, !statesLimits {
            notes.append("no job of the trace states a time limit: the run times stand for them")
        }
        if intensity != nil || price != nil {
            options.forecast = SimulatedForecast(
                kind, intensity: intensity, price: price, step: slot, restart: given.restartCost)
        }
        try addSite(sites, ownPUE: ownPUE)
    }

    private static func notes(on machine: HistoryPage.Machine) -> [String] {
        let unknown = machine.idleUnknown.joined(separator: ", ")
        guard machine.idleW != nil else {
            return ["what the machine draws while it idles is not known yet: 0 W stands for it"]
        }
        return unknown.isEmpty ? [] : ["what these draw while they idle is not known yet and left out: \(unknown)"]
    }

    private static func note(on own: (series: SignalSeries?, last: CarbonIntensity?)) -> String? {
        guard let last = own.last else { return nil }
        guard let series = own.series else {
            return "carbon: \(last) at all times, as the ledger was kept; --signal CSV tells how it changes"
        }
        return "carbon: as the ledger was kept, up to \(series.end); \(last) after that"
    }

    /// Replays the trace under each policy; the first is what the others are held against.
    func compare(
        _ policies: [(name: String, policy: PolicySet)], showsFirstCome: Bool, in context: Context
    ) async throws -> SimulationReport {
        var report = try await showingWait("replaying", context) {
            Comparison.run(
                trace, named: name, under: policies, on: machine, prices: prices, options: options,
                showsFirstCome: showsFirstCome)
        }
        report.notes += notes
        return report
    }

    /// What is said of the site: its overhead, and what its energy causes and costs where no series tells.
    /// - Parameter ownPUE: that of the ledger's own books, where no policy states one.
    private mutating func addSite(_ policies: [PolicySet], ownPUE: Double?) throws {
        let stated = policies.map(\.site).first { $0.pue.source != nil || $0.zone.source != nil }
        let pue = stated.flatMap { $0.pue.source == nil ? nil : $0.pue.value }
        let site: SiteCarbon
        do {
            site = try SiteCarbon(zone: stated?.zone.value, pue: pue, table: CarbonTable.builtIn())
        } catch {
            let place = stated?.zone.source.map { "\($0.place): " } ?? ""
            throw Failure.failed(place + error.message + (error.hint.map { "; " + $0 } ?? ""))
        }
        prices.pue = site.pue
        if !prices.hasIntensity {
            prices.steadyIntensity = site.intensity
            notes.append("carbon: \(site.intensity) at all times, \(site.source); --signal CSV tells how it changes")
        }
        if site.pueIsSet {
            notes.append("carbon and cost: \(site.pueText)")
        } else if let ownPUE, ownPUE > 1 {
            prices = GridPrices(
                intensity: prices.intensity, steadyIntensity: prices.steadyIntensity, price: prices.price, pue: ownPUE)
            notes.append("carbon and cost: PUE \(prices.pue), as the ledger was kept")
        }
        // As the daemon does where its file of prices tells nothing.
        prices.steadyPrice = policies.lazy.compactMap { $0.fallbackPrice?.perKilowattHour }.first
    }

    // MARK: - Files

    /// As large as the library takes.
    private static let mostBytes = 1 << 30

    private static func trace(_ path: String) throws -> Trace {
        let plain = path.hasSuffix(".gz") ? path.dropLast(3) : path[...]
        let isCSV = plain.hasSuffix(".csv")
        guard isCSV || plain.hasSuffix(".swf") else {
            throw Failure.usage(
                "\(path): a trace's name must end in .swf or .csv, or in either and .gz; \"ledger\" is the daemon's own"
            )
        }
        let text = try readText(path, limit: mostBytes)
        return try described { isCSV ? try Trace.csv(text, file: path) : try Trace.swf(text, file: path) }
    }

    private static func series(_ path: String, _ quantity: SignalQuantity, _ step: Duration) throws -> SignalSeries {
        let limit = SignalCSV.mostBytes
        let bytes = try path.hasSuffix(".gz") ? unpackedBytes(path, limit: limit) : readBytes(path, limit: limit)
        let reading = try described { try SignalFormat.csv.read(bytes, name: path, quantity: quantity) }
        do {
            return try SignalSeries(sampling: reading.measured, step: step)
        } catch {
            throw Failure.failed("\(path): \(error.message)" + (error.hint.map { "; " + $0 } ?? ""))
        }
    }

    private static func step(_ text: String) throws -> Duration {
        let step = try usage { () throws(UnitError) in try Duration(parsing: text) }
        guard step >= .seconds(60), step <= .seconds(86_400), step.components.attoseconds == 0 else {
            throw Failure.usage("--step is \(step.brief); it must be whole seconds, from 1 min to 1 d")
        }
        return step
    }

    private static func usage<T>(_ parse: () throws(UnitError) -> T) throws -> T {
        do { return try parse() } catch { throw Failure.usage("\(error)") }
    }
}

/// The texts of policy files, in the order given.
func readPolicy(_ paths: [String]) throws -> [(name: String, text: String)] {
    try paths.map { (name: $0, text: try readText($0)) }
}

/// - Returns: the built-in policy when there are no files.
func loadPolicy(_ files: [(name: String, text: String)]) throws -> PolicySet {
    if files.isEmpty { return .builtIn }
    return try described { try PolicySet.load(files: files, zones: CarbonTable.find) }
}

/// Runs `body`; what it throws ends the command with its words and status 1.
func described<T>(_ body: () throws -> T) throws -> T {
    do { return try body() } catch let failure as Failure { throw failure } catch { throw Failure.failed("\(error)") }
}
