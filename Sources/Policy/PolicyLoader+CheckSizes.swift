import Units

// Rules about jobs of a size that is refused before any rule is asked.

extension PolicyLoader {
    mutating func warnOfSizes(_ rule: Rule, _ name: String) {
        let limits = set.limits
        if let above = rule.match.cpusAbove {
            let most = widest(of: rule) { queue, profile in
                [
                    Bound(queue.maxCpusPerJob, "queue.\(queue.name).max-cpus-per-job"),
                    Bound(profile.maxCpus, "sandbox.\(profile.name).max-cpus"),
                    Bound(limits.maxCpusPerUser, "limits.max-cpus-per-user"),
                    Bound(limits.maxCpusPerProject, "limits.max-cpus-per-project"),
                ]
            }
            warnIfBeyond(most, above, counted(above, "cpu"), rule, name)
        }
        if let above = rule.match.gpusAbove {
            let most = widest(of: rule) { _, _ in
                [
                    Bound(limits.maxGpusPerUser, "limits.max-gpus-per-user"),
                    Bound(limits.maxGpusPerProject, "limits.max-gpus-per-project"),
                ]
            }
            warnIfBeyond(most, above, counted(above, "gpu"), rule, name)
        }
        if let above = rule.match.memoryAbove {
            let most = widest(of: rule) { _, profile in
                [Bound(profile.maxMemory, "sandbox.\(profile.name).max-memory")]
            }
            warnIfBeyond(most, above, "\(above) of memory", rule, name)
        }
    }

    /// The largest that any queue of the rule takes, and what says so; nil where one takes any size.
    private func widest<V>(
        of rule: Rule, _ bounds: (PolicySet.Queue, SandboxProfile) -> [Bound<V>?]
    ) -> Bound<V>? {
        var widest: Bound<V>?
        for queue in set.queues where rule.match.queues?.contains(queue.name) ?? true {
            guard let profile = set.sandbox(queue.sandbox.value) else { return nil }
            let all = bounds(queue, profile).compactMap { $0 }
            guard let least = all.min(by: { $0.value < $1.value }) else { return nil }
            if least.value > widest?.value ?? least.value || widest == nil { widest = least }
        }
        return widest
    }

    private mutating func warnIfBeyond<V>(
        _ most: Bound<V>?, _ above: V, _ what: String, _ rule: Rule, _ name: String
    ) {
        guard let most, most.value <= above else { return }
        warn(
            rule.reference,
            "\(name) is for jobs of more than \(what), but none may have more than \(most.value)"
                + " (\(most.key), \(most.place))",
            hint: "use a figure below \(most.value), or remove the rule")
    }
}

/// The most that a setting allows.
private struct Bound<Value: Comparable & Hashable & Sendable> {
    var value: Value
    var key: String
    var place: String

    /// Nil for no limit.
    init?(_ setting: Setting<Value?>, _ key: String) {
        guard let value = setting.value else { return nil }
        self.value = value
        self.key = key
        place = setting.place
    }
}
