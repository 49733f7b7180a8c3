/// One key of the policy language, as `docs/policy.md` lists it. A test holds this list, the document and the parser equal.
package struct PolicyKey: Hashable, Sendable {
    /// With its section; `NAME` stands for a name of the admin's choice.
    package var name: String
    package var type: String
    package var unit: String
    package var standard: String
    /// A value, as it would be written after `=`.
    package var example: String

    private init(_ name: String, _ type: String, _ unit: String, _ standard: String, _ example: String) {
        self.name = name
        self.type = type
        self.unit = unit
        self.standard = standard
        self.example = example
    }

    package static let all: [PolicyKey] = [
        PolicyKey("machine.reserve-cpus", "integer", "CPUs", "0", "1"),
        PolicyKey("machine.reserve-memory", "size", "bytes", "512 MiB", "\"2 GiB\""),
        PolicyKey("site.zone", "string", "-", "not set", "\"DE\""),
        PolicyKey("site.pue", "number", "ratio", "1", "1.2"),
        PolicyKey("site.embodied-kg", "number", "kg CO2e", "not set", "1200"),
        PolicyKey("site.lifetime", "duration", "time", "1461 d", "\"5 y\""),
        PolicyKey("site.wue", "number", "L/kWh", "not set", "0.5"),
        PolicyKey("site.ewif", "number", "L/kWh", "not set", "3.1"),
        PolicyKey("billing.basis", "choice", "-", "full", "\"marginal\""),
        PolicyKey("ledger.keep-minutes", "duration", "time", "14 d", "\"30 d\""),
        PolicyKey("ledger.keep-hours", "duration", "time", "400 d", "\"800 d\""),
        PolicyKey("queue.NAME.priority", "integer", "points", "0", "10"),
        PolicyKey("queue.NAME.max-time", "duration", "time", "no limit", "\"24 h\""),
        PolicyKey("queue.NAME.max-cpus-per-job", "integer", "CPUs", "no limit", "8"),
        PolicyKey("queue.NAME.max-suspended", "duration", "time", "no limit", "\"8 h\""),
        PolicyKey("queue.NAME.default", "boolean", "-", "false", "true"),
        PolicyKey("queue.NAME.sandbox", "string", "-", "default", "\"default\""),
        PolicyKey("limits.max-queued-per-user", "integer", "jobs", "10000", "500"),
        PolicyKey("limits.max-running-per-user", "integer", "jobs", "no limit", "4"),
        PolicyKey("sandbox.NAME.network", "boolean", "-", "false", "true"),
        PolicyKey("sandbox.NAME.read-only", "strings", "paths", "/", "[\"~\", \"/data\"]"),
        PolicyKey("sandbox.NAME.read-write", "strings", "paths", "/", "[\"~\", \"/scratch\"]"),
        PolicyKey("sandbox.NAME.bind", "strings", "paths", "none", "[\"/srv/datasets\"]"),
        PolicyKey("sandbox.NAME.devices", "strings", "paths", "none", "[\"/dev/dri\", \"/dev/kfd\"]"),
        PolicyKey("sandbox.NAME.require", "choice", "-", "best-effort", "\"full\""),
        PolicyKey("sandbox.NAME.max-memory", "size", "bytes", "no limit", "\"64 GiB\""),
        PolicyKey("sandbox.NAME.max-cpus", "integer", "CPUs", "no limit", "16"),
        PolicyKey("sandbox.NAME.max-processes", "integer", "processes", "4096", "1024"),
        PolicyKey("sandbox.NAME.max-file-size", "size", "bytes", "no limit", "\"100 GiB\""),
        PolicyKey("sandbox.NAME.max-open-files", "integer", "files", "65536", "4096"),
        PolicyKey("sandbox.NAME.max-core-size", "size", "bytes", "0 B", "\"1 GiB\""),
        PolicyKey("sandbox.NAME.max-log-size", "size", "bytes", "64 MiB", "\"1 GiB\""),
        PolicyKey("sandbox.NAME.refuse-syscalls", "strings", "calls", "none", "[\"memfd_create\"]"),
        PolicyKey("sandbox.NAME.allow-syscalls", "strings", "calls", "none", "[\"io_uring_setup\"]"),
        PolicyKey("sandbox.NAME.landlock", "choice", "-", "on", "\"off\""),
        PolicyKey("access.admins", "strings", "-", "none", "[\"alice\", \"@staff\"]"),
        PolicyKey("notify.hook", "string", "-", "not set", "\"/etc/mld/notify\""),
        PolicyKey("notify.on", "strings", "states", "every final state", "[\"failed\", \"timed-out\"]"),
        PolicyKey("notify.mail", "boolean", "-", "false", "true"),
        PolicyKey("rule.name", "string", "-", "required", "\"nights\""),
        PolicyKey("rule.then", "choice", "-", "required", "\"hold\""),
        PolicyKey("rule.message", "string", "-", "none", "\"batch runs at night\""),
        PolicyKey("rule.match.user", "string or strings", "-", "any", "[\"alice\", \"bob\"]"),
        PolicyKey("rule.match.group", "string or strings", "-", "any", "\"students\""),
        PolicyKey("rule.match.project", "string or strings", "-", "any", "\"nlp\""),
        PolicyKey("rule.match.queue", "string or strings", "-", "any", "\"batch\""),
        PolicyKey("rule.match.kind", "string or strings", "-", "any", "\"train\""),
        PolicyKey("rule.match.cpus-above", "integer", "CPUs", "any", "8"),
        PolicyKey("rule.match.gpus-above", "integer", "GPUs", "any", "0"),
        PolicyKey("rule.match.memory-above", "size", "bytes", "any", "\"64 GiB\""),
        PolicyKey("rule.match.hour", "string", "hours, UTC", "any", "\"22-06\""),
        PolicyKey("rule.match.weekday", "string or strings", "days, UTC", "any", "\"mon-fri\""),
    ]
}
