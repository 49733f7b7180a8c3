import JobAPI
import Units

extension PolicySet {
    /// What holds where no file says otherwise. `policies/default.toml` says the same, with comments; a test compares.
    package static let builtIn = PolicySet(
        machine: Machine(reserveCpus: Setting(0), reserveMemory: Setting(.mebibytes(512))),
        site: Site(
            zone: Setting(nil), pue: Setting(1), embodiedKg: Setting(nil), lifetime: Setting(.seconds(4 * 31_557_600)),
            wue: Setting(nil), ewif: Setting(nil)),
        billing: Billing(basis: Setting(.full)),
        keeping: Keeping(minutes: Setting(.seconds(14 * 86_400)), hours: Setting(.seconds(400 * 86_400))),
        queues: [
            Queue(builtIn: "interactive", priority: 100, maxTime: .seconds(4 * 3600)),
            Queue(builtIn: "batch", priority: 10, maxTime: .seconds(24 * 3600), isDefault: true),
            Queue(builtIn: "long", priority: 1, maxTime: .seconds(7 * 86400)),
        ],
        limits: Limits(maxQueuedPerUser: Setting(10_000), maxRunningPerUser: Setting(nil)),
        sandboxes: [SandboxProfile(name: "default")],
        access: Access(admins: Setting([])),
        rules: [],
        files: [],
        hash: hash(of: []))
}

extension PolicySet.Queue {
    fileprivate init(builtIn name: String, priority: Int, maxTime: Duration, isDefault: Bool = false) {
        self.init(name: name, source: nil)
        self.priority = Setting(priority)
        self.maxTime = Setting(maxTime)
        self.isDefault = Setting(isDefault)
    }

    /// A queue nobody has said anything about yet.
    init(name: String, source: RuleReference?) {
        self.init(
            name: name, priority: Setting(0), maxTime: Setting(nil), maxCpusPerJob: Setting(nil),
            maxSuspended: Setting(nil),
            isDefault: Setting(false), sandbox: Setting("default"), source: source)
    }
}
