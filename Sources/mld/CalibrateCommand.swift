import ArgumentParser
import Glibc
import JobAPI
import LinuxSystem
import Metering
import Synchronization
import Units

/// Measures this machine's power at several loads, for the model that stands in where no counter can be read.
struct CalibrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "Measure this machine's power against its load, for the model.",
        discussion: """
            Keeps 0, then more and more CPUs busy for a few minutes, and writes what the meter said of each load. The daemon
            reads the file when it starts and uses it where it has no counter of the processors. Nothing else may run
            meanwhile. The watts are those of the machine's own counters (RAPL needs root), or of a meter outside.

            EXAMPLE
              sudo mld calibrate
              mld calibrate --watts-from 'curl -s http://plug.local/rpc/Switch.GetStatus?id=0 | jq .apower'
            """)

    @Option(help: "The file to write (default: calibration.toml in the configuration directory).")
    var output: String?

    @Option(help: "How long each load is measured, in seconds (default: 10; 3 with --quick).")
    var stepSeconds: Double?

    @Option(help: "A shell command that prints the whole machine's watts; asked once a second.")
    var wattsFrom: String?

    @Flag(help: "Four loads of three seconds: a first impression.")
    var quick = false

    func validate() throws {
        if let stepSeconds, !(3...600).contains(stepSeconds) {
            throw ValidationError("--step-seconds must be between 3 and 600")
        }
    }

    func run() throws {
        Interruption.listen()
        do {
            try calibrate()
        } catch {
            Self.tell("mld: \(error)")
            throw ExitCode((error as? CalibrationError)?.exitCode ?? 1)
        }
    }

    private func calibrate() throws {
        let roots = SystemRoots()
        let path = output ?? Self.defaultPath()
        let cpu = try CPUIdentity(roots: roots)
        let cpus = try ProcStat(roots: roots).cpus
        let memoryBytes = try MemoryInfo(roots: roots).totalBytes
        guard CPUTopology.usableCPUs() >= cpus else {
            throw CalibrationError.failed(
                stage: "the load", message: "only \(CPUTopology.usableCPUs()) of \(cpus) CPUs may be used here",
                advice: "run outside of taskset, containers and CPU sets")
        }
        var meter = try CalibrationMeter(roots: roots, command: wattsFrom, isCancelled: { Interruption.came })
        // Now, not after minutes of measuring.
        try AtomicFile.makeDirectory(of: path)
        try AtomicFile.checkWritable(path)
        let plan = CalibrationPlan(
            cpus: cpus, askedSeconds: stepSeconds, isExternal: meter.isExternal, isQuick: quick)
        Self.tell("measuring with \(meter.source): about \((.seconds(plan.seconds) as Duration).brief)")
        let load = LoadGenerator(threads: cpus, memoryBytes: memoryBytes)
        let (source, coverage, without) = (meter.source, meter.coverage, meter.without)
        let written = try CalibrationRun(
            plan: plan, setLoad: { busy throws(CalibrationError) in try load.keepBusy(busy) },
            wait: { seconds throws(CalibrationError) in try Interruption.wait(seconds) }, read: { meter.read() },
            report: Self.tell
        ).run(writingTo: path, isCancelled: { Interruption.came }) { outcome in
            Calibration(
                date: .now(), cpu: cpu, cpus: cpus, memoryBytes: memoryBytes, source: source, coverage: coverage,
                without: without, points: outcome.points, error: outcome.error)
        }
        guard let (calibration, leftOut) = written else { return }
        print(Self.summary(calibration, leftOut: leftOut, path: path))
    }

    private static func summary(_ calibration: Calibration, leftOut: [String], path: String) -> String {
        func column(_ text: String) -> String { String(repeating: " ", count: max(0, 10 - text.count)) + text }
        func percent(_ share: Double) -> String { "\(significant(share * 100)) %" }
        var lines = [["BUSY", "WATTS", "SPREAD", "CURVE"].map(column).joined()]
        lines += calibration.points.map { point in
            let watts = [point.watts, point.spreadWatts, calibration.curve.watts(at: point.utilisation)]
            return ([percent(point.utilisation)] + watts.map { significant($0) }).map(column).joined()
        }
        lines += leftOut.map { "left out: \($0)" }
        lines.append(
            "held-out error: mean \(percent(calibration.error.mean)), nine tenths within \(percent(calibration.error.p90)); "
                + "figures will have a range of \(percent(calibration.relativeRange)) either way")
        lines.append("written: \(path); the daemon reads it when it starts")
        return lines.joined(separator: "\n")
    }

    /// Where the daemon of the same user looks: root's serves the machine.
    private static func defaultPath() -> String {
        var environment: [String: String] = [:]
        for name in ["HOME", "XDG_CONFIG_HOME"] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        let places = geteuid() == 0 ? Locations.system : .user(environment: environment, uid: geteuid())
        return places.configDirectory + "/" + Calibration.fileName
    }

    private static func tell(_ message: String) {
        let line = message + "\n"
        _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }
}

/// SIGINT, SIGTERM and SIGHUP as a flag: whoever waits looks at it, so that the load, the meter's command and the file end in
/// good order.
private enum Interruption {
    private static let flag = Atomic<Bool>(false)

    static var came: Bool { flag.load(ordering: .relaxed) }

    static func listen() {
        // The flag is made here: a handler must not be the first to touch it.
        flag.store(false, ordering: .relaxed)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { _ in Interruption.flag.store(true, ordering: .relaxed) }
        }
    }

    static func wait(_ seconds: Double) throws(CalibrationError) {
        let end = SystemClock.monotonicNanoseconds() + Int64(seconds * 1e9)
        while true {
            if came { throw .interrupted }
            let left = end - SystemClock.monotonicNanoseconds()
            guard left > 0 else { return }
            usleep(UInt32(min(left, 50_000_000) / 1000))
        }
    }
}
