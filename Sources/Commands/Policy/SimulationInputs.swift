import Carbon
import ConfigFile
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
    /// The new policy's files.
    var files: [(name: String, text: String)]
    var policy: PolicySet
    /// What was assumed, one sentence each.
    var notes: [String] = []

    init(_ given: SimulationOptions) throws {
        let slot = try Self.step(given.step)
        let kind = try Self.usage { () throws(UnitError) in
            try SimulatedForecast.kind(parsing: given.forecast, seed: given.seed)
        }
        guard (0...86_400).contains(given.restartCost) else {
            throw Failure.usage("--restart-cost is \(given.restartCost); it must be from 0 to 86400 seconds")
        }
        files = try readPolicy(given.policy)
        policy = try loadPolicy(files)
        name = String(given.trace.split(separator: "/").last ?? "")
        trace = try Self.trace(given.trace)

        let file = try given.machine.map { path in
            let text = try readText(path)
            return try described { try MachineFile(text, file: path) }
        }
        let machineFile = file ?? MachineFile()
        let isUnlimited = given.capacity == .unlimited
        guard let machine = machineFile.machine(processors: trace.processors, isUnlimited: isUnlimited) else {
            throw Failure.usage(
                "nobody says how many CPUs the machine has: give --machine FILE with \"cpus = 16\", or --capacity unlimited"
            )
        }
        self.machine = machine
        notes += machineFile.note(for: trace).map { [$0] } ?? []

        let intensity = try given.signal.map { try Self.series($0, .intensity, slot) }
        let price = try given.price.map { try Self.series($0, .price, slot) }
        let statesLimits = trace.jobs.contains { $0.timeLimit != nil }
        options = Replay.Options(limits: given.limits ?? (statesLimits ? .learned : .exact))
        if given.limits == nil, !statesLimits {
            notes.append("no job of the trace states a time limit: the run times stand for them")
        }
        if intensity != nil || price != nil {
            options.forecast = SimulatedForecast(
                kind, intensity: intensity, price: price, step: slot, restart: given.restartCost)
        }
        prices = GridPrices(intensity: intensity, price: price)
        try addSite()
    }

    /// What the policy says of the site: its overhead, and what its energy causes and costs where no series tells.
    private mutating func addSite() throws {
        let pue = policy.site.pue.source == nil ? nil : policy.site.pue.value
        let zone = policy.site.zone
        let site: SiteCarbon
        do {
            site = try SiteCarbon(zone: zone.value, pue: pue, table: CarbonTable.builtIn())
        } catch {
            let place = zone.source.map { "\($0.place): " } ?? ""
            throw Failure.failed(place + error.message + (error.hint.map { "; " + $0 } ?? ""))
        }
        prices.pue = site.pue
        if prices.intensity == nil {
            prices.steadyIntensity = site.intensity
            notes.append("carbon: \(site.intensity) at all times, \(site.source); --signal CSV tells how it changes")
        }
        if site.pueIsSet { notes.append("carbon and cost: \(site.pueText)") }
        if prices.price == nil, case .constant(let price)? = policy.carbon.price.value {
            prices.steadyPrice = price.perKilowattHour
        }
    }

    // MARK: - Files

    /// As large as the library takes.
    private static let mostBytes = 1 << 30

    private static func trace(_ path: String) throws -> Trace {
        let plain = path.hasSuffix(".gz") ? path.dropLast(3) : path[...]
        let isCSV = plain.hasSuffix(".csv")
        guard isCSV || plain.hasSuffix(".swf") else {
            throw Failure.usage("\(path): a trace's name must end in .swf or .csv, or in either and .gz")
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
    return try described { try PolicySet.load(files: files) }
}

/// Runs `body`; what it throws ends the command with its words and status 1.
func described<T>(_ body: () throws -> T) throws -> T {
    do { return try body() } catch let failure as Failure { throw failure } catch { throw Failure.failed("\(error)") }
}
