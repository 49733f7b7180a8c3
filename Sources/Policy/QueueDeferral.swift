import ConfigFile
import JobAPI
package import Units

extension PolicySet {
    /// What the jobs of a queue may be moved about for: less carbon, or less money.
    package struct QueueDefer: Hashable, Sendable {
        /// The latest start is this long after the earliest possible one; zero for no deferral.
        package var upTo = Setting(Duration.zero)
        package var minimise = Setting(DeferralGoal.carbon)
        /// Above this, interruptible jobs stand still; nil for never.
        package var suspendAbove = Setting<GridThreshold?>(nil)
        /// At or below this they go on; nil for `suspendAbove`.
        package var resumeBelow = Setting<GridThreshold?>(nil)

        package init() {}

        /// Whether an interruptible job should stand still now.
        ///
        /// Between the two thresholds all stays as it is, or a value that trembles would stop and start jobs all the time. A
        /// value that is not known stops nothing.
        package func suspends(in conditions: Conditions, whileSuspended: Bool) -> Bool {
            guard let above = suspendAbove.value else { return false }
            let limit = whileSuspended ? resumeBelow.value ?? above : above
            return limit.isExceeded(in: conditions) ?? false
        }
    }
}

/// What a deferred start is chosen for.
package enum DeferralGoal: String, CaseIterable, Sendable {
    case carbon, cost
}

/// A job may start later than it could.
package struct Deferral: Hashable, Sendable {
    /// Start no later than this, if there is room.
    package var latestStart: Timestamp
    package var goal: DeferralGoal
    /// The rule or key that allows it; nil when built in.
    package var source: RuleReference?
}

extension PolicyLoader {
    /// Lays a file's `[queue.NAME.defer]` over what there is.
    func readDefer(_ reader: ConfigReader, into settings: inout PolicySet.QueueDefer) {
        guard let section = reader.table("defer") else { return }
        assign(section, "up-to", within(.zero, Self.year, "up-to", section), &settings.upTo)
        assign(section, "minimise", section.choice("minimise"), &settings.minimise)
        assign(section, "suspend-above", threshold("suspend-above", section), &settings.suspendAbove)
        assign(section, "resume-below", threshold("resume-below", section), &settings.resumeBelow)
        section.finish()
    }

    static let year = Duration.seconds(31_557_600)

    private func threshold(_ key: String, _ reader: ConfigReader) -> GridThreshold? {
        quantity(key, reader, example: "400 g/kWh", or: "\"0.4 EUR/kWh\"") { text throws(UnitError) in
            try GridThreshold(parsing: text)
        }
    }
}

extension PolicySet.Queue {
    /// The lines of what a queue may move and stop, in ``PolicySet/report()``.
    var movingLines: [PolicyReport.Line] {
        func line<T>(_ key: String, _ setting: Setting<T>, _ value: String) -> PolicyReport.Line {
            .init(key: "queue.\(name).\(key)", value: value, source: setting.place)
        }
        return [
            line("defer.up-to", deferral.upTo, deferral.upTo.value.brief),
            line("defer.minimise", deferral.minimise, deferral.minimise.value.rawValue),
            line("defer.suspend-above", deferral.suspendAbove, deferral.suspendAbove.value?.description ?? "not set"),
            line("defer.resume-below", deferral.resumeBelow, deferral.resumeBelow.value?.description ?? "not set"),
            line("interruptible", interruptible, interruptible.value.map { "\($0)" } ?? "as the job says"),
            line("preempts", preempts, preempts.value.isEmpty ? "none" : preempts.value.joined(separator: ", ")),
            line("power-limit", powerLimit, "\(powerLimit.value)"),
            line("gpu-share", gpuShare, "\(gpuShare.value)"),
        ]
    }
}
