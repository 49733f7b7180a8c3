import Carbon
import FoundationEssentials
import Glibc
import JobAPI
import Ledger
import LinuxSystem
import Logging
import Metering
import NIOPosix
import Policy
import Sandbox
import ServiceLifecycle
import UnixSignals
import Units

/// Puts the daemon together and runs it until it is told to stop.
package enum Daemon {
    /// Runs until SIGTERM or SIGINT. Jobs that run then go on, and the next daemon adopts them.
    package static func run(_ given: Settings) async throws {
        var settings = given
        OwnProcess.keepHeapSmall()
        signal(SIGPIPE, SIG_IGN)
        // Asks for a reload; one that comes before there is something to reload is no reason to end.
        signal(SIGHUP, SIG_IGN)
        let descriptorLimit = Int(clamping: OwnProcess.raiseDescriptorLimit())
        let sink = JournalLogHandler.Sink.standardError()
        var logger = Logger(label: "mld", factory: { _ in JournalLogHandler(sink: sink) })
        logger.logLevel = Logger.Level(rawValue: settings.logLevel) ?? .info
        let (policy, policyText) = try PolicyFiles.load(
            settings.policyDirectory, mustExist: settings.isPolicyDirectoryNamed)
        if !PolicyFiles.exist(in: settings.policyDirectory) {
            logger.notice("policy: there is no directory \(settings.policyDirectory), so the built-in policy holds")
        }
        let state = try StateDirectory(path: settings.stateDirectory)
        defer { state.release() }
        let swept = Ledger.sweep(beside: state.ledger)
        for file in swept.removed { logger.notice("removed \(file), which a killed copy or restore had left") }
        for problem in swept.problems { logger.warning("\(problem)") }
        try state.createLedgerFile()
        let ledger = try Ledger(path: state.ledger)
        let table = try SiteCarbon(policy)
        let started = Timestamp.now()
        let teller = try await TransitionTeller(ledger: ledger, mark: state.toldMark(), logger: logger)
        let context = ChainContext(policyHash: policy.hash, factors: CarbonTable.version, version: mldVersion)
        try await ledger.begin(context, now: started)

        let socket = try ListeningSocket(
            path: settings.socket, mode: settings.isSystemMode ? 0o660 : 0o600,
            group: settings.isSystemMode ? User.groupID(named: "mld") : nil)
        defer { socket.removeFile() }
        // Where clients really reach us, and what jobs must not see.
        settings.socket = socket.path
        let machine = try Machine(roots: settings.roots)
        PolicyFiles.tell(of: policy, on: machine.capacity, logger)
        let host = try await ledger.host(
            name: machine.hostName, cpuModel: machine.cpuModel, cpus: machine.capacity.cpus,
            memory: machine.capacity.memory)
        let grid = GridSignals(policy, table: table, directory: state.path + "/carbon", logger: logger, now: started)
        await grid.begin(now: started)
        let site = await grid.situation(now: started).site
        try await ledger.putInForce(
            site.terms(of: policy, text: policyText, cpus: machine.capacity.cpus), from: started)
        let meter = EnergyMeter(
            roots: settings.roots, machine: machine.size, site: site,
            books: try await books(ledger, host: host, context: context, policy: policy, bootID: machine.bootID),
            baseline: try await learnedBaseline(ledger, logger), calibration: settings.calibration, logger: logger)
        let launcher = try SandboxLauncher(
            execPath: settings.programs + "/mld-exec", cgroups: try cgroups(settings),
            spawner: settings.spawner, descriptorLimit: descriptorLimit)
        let jobsFollowedClosely = SandboxLauncher.jobsFollowedClosely(descriptorLimit: descriptorLimit)
        logger.notice("\(descriptorLimit) descriptors, enough to follow \(jobsFollowedClosely) jobs closely")
        for line in launcher.capabilities.sentences { logger.notice("sandbox: \(line)") }
        for line in await meter.descriptions() {
            logger.notice("meter: \(line.domain), \(line.source), \(line.tier.rawValue), \(line.status)")
        }
        for problem in machine.problems { logger.error("\(problem)") }
        let hub = EventHub()
        let jobs = JobController(
            settings: settings, ledger: ledger, hub: hub, meter: meter, launcher: launcher, state: state,
            machine: machine.capacity, layout: machine.layout, bootID: machine.bootID, policy: policy, logger: logger)
        // Made before jobs take descriptors: without its own the event loop ends the process.
        _ = MultiThreadedEventLoopGroup.singleton.next()
        await jobs.follow(grid)
        await jobs.limits.undoLeftovers()
        try await jobs.takeUp()
        try await meter.noteFirstReading()
        // Jobs that should wait for a better time must not start only because it is not known yet.
        if await grid.isBlind(now: .now()) {
            _ = await grid.lookAround(now: .now(), within: .seconds(3))
            _ = await jobs.followGrid()
        }

        let api = API(
            jobs: jobs, meter: meter, ledger: ledger, auditor: Auditor(ledger), hub: hub, settings: settings,
            startedAt: started)
        let log = logger
        let path = socket.path
        let server = SocketServer(socket: socket.descriptor, responder: api.responder(), logger: logger) {
            log.notice("listening on \(path)")
            ServiceManager.ready(status: "Listening on \(path)")
        }
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: jobs), .init(service: MeterLoop(meter: meter, jobs: jobs)),
                    .init(service: ProgressLoop(jobs: jobs)), .init(service: server),
                    .init(service: jobs.notifier), .init(service: ReloadLoop(jobs: jobs, logger: logger)),
                    .init(service: GridLoop(grid: grid, jobs: jobs)), .init(service: teller),
                    .init(service: WatchdogLoop(jobs: jobs, meter: meter)),
                ], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
        ServiceManager.stopping()
        await jobs.letGoAtStop()
        await teller.tellRest()
        logger.notice("stopped; running jobs go on and are adopted at the next start")
        try ledger.close()
    }

    /// Where cgroups of jobs can be made; nil where there is no hierarchy for them.
    private static func cgroups(_ settings: Settings) throws -> CgroupTree? {
        let tree = CgroupTree.find(cgroupfs: settings.roots.cgroupfs)
        guard let file = settings.jobsCgroup else { return tree }
        // Without it jobs would be started with less than they can have.
        do { return try tree?.held(by: file) } catch {
            throw DaemonError(
                stage: "control groups", message: "\(error)",
                hint: "mld-jobs.service writes it: systemctl status mld-jobs")
        }
    }

    private static func books(
        _ ledger: Ledger, host: Int64, context: ChainContext, policy: PolicySet, bootID: String
    ) async throws -> Books {
        let clock = try await ledger.learned("last-reading-clock").flatMap(ReadingTime.Boot.init(parsing:))
        let lastReading = try await ledger.lastReading().map { ReadingTime(at: $0, boot: clock) }
        return Books(
            ledger: ledger, host: host, context: context,
            retention: Retention(minutes: policy.keeping.minutes.value, hours: policy.keeping.hours.value),
            lastReading: lastReading, bootID: bootID)
    }

    /// A row that is none, in a file that people may open, must not keep the daemon from starting: idle power is learned anew.
    private static func learnedBaseline(_ ledger: Ledger, _ logger: Logger) async throws -> IdleBaseline {
        guard let text = try await ledger.learned("idle-baseline") else { return IdleBaseline() }
        do {
            return try JSON.decode(IdleBaseline.self, from: Data(text.utf8))
        } catch {
            logger.error("the learned idle power is not as it was written, and is learned anew: \(error)")
            return IdleBaseline()
        }
    }
}
