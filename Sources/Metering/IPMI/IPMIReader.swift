import Glibc
package import LinuxSystem

/// The board's own meter, through its management controller (BMC) and `ipmitool dcmi power reading`.
///
/// Only asked where nothing measures the processors: it holds everything, slowly and late.
package struct IPMIReader: MeterReader {
    /// Seconds between an answer and the next question. Asking starts a program; once a tick would be felt.
    static let period = 5.0
    /// Seconds after which a program that gives no answer is killed.
    static let patience = 10.0

    private var description: MeterDescription
    private let program: String
    private let pause: Double
    private let patience: Double
    private var power: BMCPower?
    /// Nil before the first reading.
    private var poller: BMCPoller?

    /// Nil where there is no BMC, or no program to ask it with. Starts nothing: that is for ``begin()``.
    /// - Parameter covered: kinds that a better meter already covers. A platform holds the processors.
    package init?(roots: SystemRoots, leavingOut covered: Set<DomainKind> = []) {
        self.init(roots: roots, leavingOut: covered, pause: Self.period, patience: Self.patience)
    }

    /// - Parameter pause: seconds between an answer and the next question; tests ask more often than answers grow old.
    init?(roots: SystemRoots, leavingOut covered: Set<DomainKind> = [], pause: Double, patience: Double) {
        guard let name = roots.ipmitool, Self.hasController(roots) else { return nil }
        (self.pause, self.patience) = (pause, patience)
        description = MeterDescription(
            domain: "platform", kind: .platform,
            source: "the board's meter through its BMC (ipmitool dcmi power reading)",
            tier: .measured, status: "not asked yet", updatesPerSecond: 1 / Self.period)
        let path = Self.path(of: name)
        program = path ?? name
        if let reason = covered.refusalOfPlatform ?? (path == nil ? "there is a BMC, but no \(name) to ask it" : nil) {
            refuse(reason)
        }
    }

    /// The kernel's driver found one. `/dev/ipmi0` is of this machine alone.
    private static func hasController(_ roots: SystemRoots) -> Bool {
        let known = (try? SystemFile.names(in: roots.sysfs + "/class/ipmi")) ?? []
        return known.contains("ipmi0") || roots.showsThisMachine && access("/dev/ipmi0", F_OK) == 0
    }

    /// Where the system keeps its programs; never the caller's PATH, which may lead anywhere. Nil where it is not.
    private static func path(of name: String) -> String? {
        let directories = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"]
        let paths = name.contains("/") ? [name] : directories.map { $0 + "/" + name }
        return paths.first { access($0, X_OK) == 0 }
    }

    private mutating func refuse(_ reason: String) {
        description.status = reason
        description.counted = false
        // Not dropped here: that would wait for a program that is being killed, and a tick must not.
        poller?.stop()
    }

    package var descriptions: [MeterDescription] { [description] }

    package mutating func begin() {
        guard description.counted, poller == nil else { return }
        power = BMCPower(period: Self.period, from: BMCPoller.now())
        do throws(LinuxError) {
            poller = try BMCPoller(program: program, pause: pause, patience: patience)
        } catch {
            refuse("cannot be asked: \(error)")
        }
    }

    package mutating func sample(_ tick: MeterTick) -> [DomainSample] {
        guard description.counted, let poller, var power else { return [] }
        for (answer, time) in poller.take() { power.note(answer, at: time) }
        let reading = power.reading(over: tick.seconds, to: BMCPoller.now(), doubt: tick.doubt)
        self.power = power
        let sample = description.sample(reading, over: tick)
        if let refusal = power.refusal { refuse("the BMC is not asked any more: \(refusal)") }
        return [sample]
    }
}
