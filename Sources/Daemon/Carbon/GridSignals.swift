import Carbon
import FoundationEssentials
import Glibc
import JobAPI
import LinuxSystem
import Logging
import Policy
import Scheduling
import Units

/// What is known of the grid: reads what the policy's `[carbon]` names, keeps it, and says what holds at a moment. It changes
/// nothing itself; ``GridLoop`` carries the news to meter and scheduler.
actor GridSignals {
    /// The wait until a source is due, and the one until another figure holds.
    nonisolated let lookAlarm = Alarm()
    nonisolated let newsAlarm = Alarm()

    private var rules: PolicySet.Carbon
    /// By the table alone.
    private var table: SiteCarbon
    private var feeds: [SignalQuantity: SignalFeed] = [:]
    /// Rises with all that is received, and with every change of the rules.
    private var revision = 0
    private let directory: String
    private let logger: Logger

    /// Of one answer of a service.
    private static let timeLimit = Duration.seconds(20)
    /// As far as jobs are planned ahead.
    private static let ahead = Duration.seconds(7 * 86400)

    /// - Parameter directory: of the daemon's own; what services told is kept there.
    init(_ policy: PolicySet, table: SiteCarbon, directory: String, logger: Logger, now: Timestamp = .now()) {
        rules = policy.carbon
        self.table = table
        self.directory = directory
        self.logger = logger
        for (quantity, source) in Self.sources(policy) {
            feeds[quantity] = SignalFeed(
                quantity, source, fallback: quantity == .intensity ? .init(table) : nil,
                staleAfter: policy.carbon.staleAfter.value, now: now)
        }
    }

    /// Another policy is in force. What was known of a source that it names too stays known.
    func adopt(_ policy: PolicySet, table: SiteCarbon, now: Timestamp = .now()) async {
        rules = policy.carbon
        self.table = table
        var new: [SignalQuantity: SignalFeed] = [:]
        for (quantity, source) in Self.sources(policy) {
            let fallback = quantity == .intensity ? Signal.Fallback(table) : nil
            let stale = policy.carbon.staleAfter.value
            if var old = feeds[quantity], old.source == source {
                old.set(fallback: fallback, staleAfter: stale)
                new[quantity] = old
            } else {
                new[quantity] = SignalFeed(quantity, source, fallback: fallback, staleAfter: stale, now: now)
            }
        }
        feeds = new
        revision += 1
        await readFiles(now: now)
        lookAlarm.ring()
        newsAlarm.ring()
    }

    private static func sources(_ policy: PolicySet) -> [SignalQuantity: SignalSource] {
        var sources: [SignalQuantity: SignalSource] = [:]
        switch policy.carbon.source.value {
        case .table: break
        case .file(let path): sources[.intensity] = .file(path)
        case .service(let service):
            sources[.intensity] = .service(service, zone: service.zone ?? policy.site.zone.value)
        }
        if case .file(let path, _, _) = policy.carbon.price.value { sources[.price] = .file(path) }
        return sources
    }

    // MARK: - Looking

    /// Takes what an earlier daemon kept, and reads the files: what the first plan is made by.
    func begin(now: Timestamp) async {
        if let archive = archive(now: now) { feeds[.intensity]?.take(archive, refresh: rules.refresh.value) }
        await readFiles(now: now)
    }

    private func readFiles(now: Timestamp) async {
        for quantity in SignalQuantity.allCases {
            guard let feed = feeds[quantity], case .file = feed.source, feed.due <= now else { continue }
            await look(quantity, now: now, within: Self.timeLimit)
        }
    }

    /// Whether a source is named of which nothing recent is known.
    func isBlind(now: Timestamp) -> Bool {
        guard let feed = feeds[.intensity] else { return false }
        return fresh(feed.signal, now: now) == nil
    }

    /// Asks every source whose time has come.
    /// - Returns: when the next one's comes; nil when there is none.
    func lookAround(now: Timestamp, within timeLimit: Duration = GridSignals.timeLimit) async -> Timestamp? {
        for quantity in SignalQuantity.allCases {
            if let due = feeds[quantity]?.due, due <= now { await look(quantity, now: now, within: timeLimit) }
        }
        return feeds.values.map(\.due).min()
    }

    private func look(_ quantity: SignalQuantity, now: Timestamp, within timeLimit: Duration) async {
        guard let feed = feeds[quantity] else { return }
        let refresh = rules.refresh.value
        let began = ContinuousClock.now
        let result: Result<SignalSource.Answer?, any Error>
        do {
            result = .success(
                try await Self.ask(feed.source, quantity, known: feed.known(now: now), now: now, within: timeLimit))
        } catch is CancellationError {
            return
        } catch {
            result = .failure(error)
        }
        // The policy may have been changed while it was asked.
        guard var current = feeds[quantity], current.source == feed.source else { return }
        let time = now.advanced(by: began.duration(to: .now))
        let change =
            switch result {
            case .success(let answer): current.answered(answer, at: time, refresh: refresh)
            case .failure(let error): current.failed("\(error)", at: time, refresh: refresh)
            }
        feeds[quantity] = current
        tell(change, of: current, now: time)
        guard case .success = result else { return }
        revision += 1
        if case .service = current.source { keep(current) }
        newsAlarm.ring()
    }

    /// Apart from the actor: files and services take their time.
    private nonisolated static func ask(
        _ source: SignalSource, _ quantity: SignalQuantity, known: FileStamp?, now: Timestamp, within limit: Duration
    ) async throws -> SignalSource.Answer? {
        try await source.look(quantity, known: known, now: now, within: limit)
    }

    /// Once for each change for the worse or the better.
    private func tell(_ change: SignalFeed.Change, of feed: SignalFeed, now: Timestamp) {
        let name = feed.signal.quantity == .intensity ? "the grid's intensity" : "the price of energy"
        switch change {
        case .none: break
        case .recovered: logger.notice("\(name) is told again by \(feed.source.name)")
        case .lacking(let what): logger.notice("\(name): something is not told: \(what)")
        case .failing(let problem):
            let rest = feed.signal.figure(at: now, now: now).map { figure in
                "; until then: \(feed.signal.quantity.text(figure.value)), \(figure.source), \(figure.origin.rawValue)"
            }
            logger.warning("\(name) is not told: \(problem); it is tried again\(rest ?? "")")
        }
    }

    // MARK: - What is kept

    private var archivePath: String { directory + "/intensity.json" }

    private func archive(now: Timestamp) -> SignalArchive? {
        guard case .service = feeds[.intensity]?.source, access(archivePath, F_OK) == 0 else { return nil }
        do {
            let text = try SystemFile.text(archivePath, limit: SignalCSV.mostBytes)
            let archive = try JSON.decode(SignalArchive.self, from: Data(text.utf8))
            try archive.check(.intensity, now: now)
            return archive
        } catch {
            logger.warning("what was kept of the grid's intensity cannot be used: \(error)")
            return nil
        }
    }

    private func keep(_ feed: SignalFeed) {
        guard let archive = feed.archive else { return }
        do {
            try StateDirectory.makeDirectory(directory, mode: 0o700)
            try AtomicFile.write(try JSON.text(archive), to: archivePath, mode: 0o600)
        } catch {
            // It is known all the same, until the next start.
            logger.error("cannot keep the grid's intensity: \(error)")
        }
    }

    // MARK: - What holds

    /// - Parameter other: what the table says under another policy.
    func situation(now: Timestamp, table other: SiteCarbon? = nil) -> GridSituation {
        var table = other ?? self.table
        table.energyPrice = nil
        var situation = GridSituation(site: table, revision: revision)
        if let signal = feeds[.intensity]?.signal {
            if let figure = signal.figure(at: now, now: now) {
                situation.site = table.under(figure, errorPercent: signal.errorPercent(of: figure))
            }
            situation.intensity = fresh(signal, now: now).map { CarbonIntensity(gramsPerKilowattHour: $0.value) }
        }
        switch rules.price.value {
        case nil: break
        case .constant(let price): (situation.price, situation.site.energyPrice) = (price, price)
        case .file(_, let currency, let fallback):
            situation.price = feeds[.price].flatMap { fresh($0.signal, now: now) }.map {
                EnergyPrice(perKilowattHour: $0.value, currency: currency)
            }
            // What is paid is paid all the same; what moves jobs is only what is known.
            situation.site.energyPrice = situation.price ?? fallback
        }
        let signals = feeds.values.map(\.signal)
        let slot = signals.map { $0.planningStep(now: now) }.min() ?? .seconds(1800)
        func series(_ feed: SignalFeed?) -> SignalSeries? {
            guard let feed, fresh(feed.signal, now: now) != nil else { return nil }
            return feed.signal.planningSeries(now: now, ahead: Self.ahead, step: slot)
        }
        situation.forecast = ShiftForecast(
            carbon: series(feeds[.intensity]), price: series(feeds[.price]), slot: slot)
        situation.nextChange = signals.compactMap { $0.nextChange(after: now) }.min()
        return situation
    }

    /// What may move jobs: neither a mean of the year, nor a figure that is too old.
    private func fresh(_ signal: Signal, now: Timestamp) -> Signal.Figure? {
        guard let figure = signal.figure(at: now, now: now), figure.origin != .table,
            figure.age.map({ $0 <= rules.staleAfter.value }) ?? true
        else { return nil }
        return figure
    }

    /// For people.
    func report(now: Timestamp) -> GridReport {
        var currency: String?
        if case .file(_, let text, _) = rules.price.value { currency = text }
        return GridReport(
            signals: SignalQuantity.allCases.compactMap { feeds[$0]?.state(now: now, currency: currency) })
    }
}

/// How the grid stands at a moment, and what follows from it.
struct GridSituation: Sendable {
    /// What energy is priced with.
    var site: SiteCarbon
    var revision: Int
    /// For rules that ask; nil where it is not known.
    var intensity: CarbonIntensity?
    var price: EnergyPrice?
    /// What jobs are planned by.
    var forecast = ShiftForecast()
    /// When this may be otherwise, though nothing is received.
    var nextChange: Timestamp?

    /// What makes another plan: something was received, or what was is too old now.
    struct News: Hashable, Sendable {
        var revision: Int
        var hasCarbon: Bool
        var hasCost: Bool
    }

    var news: News {
        News(revision: revision, hasCarbon: forecast.carbon != nil, hasCost: forecast.cost != nil)
    }
}
