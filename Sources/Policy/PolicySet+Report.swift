package import JobAPI
import Units

extension PolicySet {
    /// Everything in force, line by line, for `mlctl policy show`.
    package func report() -> PolicyReport {
        var lines: [PolicyReport.Line] = []
        func line<T>(_ key: String, _ setting: Setting<T>, _ value: String) {
            lines.append(.init(key: key, value: value, source: setting.place))
        }
        lines += machineLines
        line("site.zone", site.zone, site.zone.value ?? "not set")
        line("site.pue", site.pue, significant(site.pue.value))
        line("site.embodied-kg", site.embodiedKg, Self.figure(site.embodiedKg.value))
        line("site.lifetime", site.lifetime, site.lifetime.value.brief)
        line("site.wue", site.wue, Self.figure(site.wue.value))
        line("site.ewif", site.ewif, Self.figure(site.ewif.value))
        lines += carbonLines
        line("billing.basis", billing.basis, billing.basis.value.rawValue)
        line("ledger.keep-minutes", keeping.minutes, keeping.minutes.value.brief)
        line("ledger.keep-hours", keeping.hours, keeping.hours.value.brief)
        for queue in queues {
            let key = "queue.\(queue.name)"
            line("\(key).priority", queue.priority, "\(queue.priority.value)")
            line("\(key).max-time", queue.maxTime, queue.maxTime.value?.brief ?? "no limit")
            line("\(key).max-cpus-per-job", queue.maxCpusPerJob, Self.limit(queue.maxCpusPerJob.value))
            line("\(key).max-suspended", queue.maxSuspended, queue.maxSuspended.value?.brief ?? "no limit")
            line("\(key).default", queue.isDefault, "\(queue.isDefault.value)")
            line("\(key).sandbox", queue.sandbox, queue.sandbox.value)
            lines += queue.movingLines
        }
        lines += fairShareLines
        line("limits.max-queued-per-user", limits.maxQueuedPerUser, "\(limits.maxQueuedPerUser.value)")
        let optional: [(String, Setting<Int?>)] = [
            ("max-running-per-user", limits.maxRunningPerUser), ("max-cpus-per-user", limits.maxCpusPerUser),
            ("max-gpus-per-user", limits.maxGpusPerUser), ("max-queued-per-project", limits.maxQueuedPerProject),
            ("max-running-per-project", limits.maxRunningPerProject),
            ("max-cpus-per-project", limits.maxCpusPerProject), ("max-gpus-per-project", limits.maxGpusPerProject),
        ]
        for (key, setting) in optional { line("limits.\(key)", setting, Self.limit(setting.value)) }
        for reservation in reservations { lines += reservation.lines }
        for budget in budgets { lines += budget.lines }
        for profile in sandboxes {
            let key = "sandbox.\(profile.name)"
            line("\(key).network", profile.network, profile.network.value ? "for jobs that ask" : "false")
            line("\(key).read-only", profile.readOnly, Self.list(profile.readOnly.value))
            line("\(key).read-write", profile.readWrite, Self.list(profile.readWrite.value))
            line("\(key).bind", profile.bind, Self.list(profile.bind.value))
            line("\(key).devices", profile.devices, Self.list(profile.devices.value))
            line("\(key).require", profile.require, profile.require.value.rawValue)
            line("\(key).max-memory", profile.maxMemory, profile.maxMemory.value?.description ?? "no limit")
            line("\(key).max-cpus", profile.maxCpus, Self.limit(profile.maxCpus.value))
            line("\(key).max-processes", profile.maxProcesses, "\(profile.maxProcesses.value)")
            line("\(key).max-file-size", profile.maxFileSize, profile.maxFileSize.value?.description ?? "no limit")
            line("\(key).max-open-files", profile.maxOpenFiles, "\(profile.maxOpenFiles.value)")
            line("\(key).max-core-size", profile.maxCoreSize, "\(profile.maxCoreSize.value)")
            line("\(key).max-log-size", profile.maxLogSize, "\(profile.maxLogSize.value)")
            line("\(key).refuse-syscalls", profile.refuseSyscalls, Self.list(profile.refuseSyscalls.value))
            line("\(key).allow-syscalls", profile.allowSyscalls, Self.list(profile.allowSyscalls.value))
            line("\(key).landlock", profile.landlock, profile.landlock.value.rawValue)
        }
        lines += accessLines + notifyLines
        for rule in rules {
            lines.append(.init(key: "rule.\(rule.name)", value: rule.summary, source: rule.reference.place))
        }
        return PolicyReport(files: files, hash: hash, settings: lines)
    }

    private static func figure(_ value: Double?) -> String { value.map { significant($0) } ?? "not set" }

    private static func limit(_ value: Int?) -> String { value.map(String.init) ?? "no limit" }
    private static func list(_ values: [String]) -> String { values.isEmpty ? "none" : values.joined(separator: ", ") }
}
