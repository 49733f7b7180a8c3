package import JobAPI
package import Units

/// `mlctl list`.
package func table(_ list: JobList, now: Timestamp, style: Style) -> String {
    guard !list.jobs.isEmpty else { return "no jobs\n" }
    var table = Table([
        .init("ID", .right), .init("NAME", flexible: true), .init("USER"), .init("STATE"), .init("TIME", .right),
        .init("J", .right), .init("gCO2e", .right), .init("REASON", flexible: true),
    ])
    for job in list.jobs {
        table.add([
            .init("\(job.reference)"), .init(job.name), .init(job.user),
            .init(job.state.rawValue, tint: job.state.tint),
            .init(job.runTime(at: now).map { brief(seconds: $0) } ?? "-"), .init(joules(job.energy)),
            .init(grams(job.energy)), .init(job.reason),
        ])
    }
    return table.render(style)
}

/// `mlctl show ID`.
package func text(_ detail: JobDetail, now: Timestamp, style: Style) -> String {
    let job = detail.job
    var fields = Fields(style: style)
    fields.add("job", "\(job.reference)  \(job.name)")
    fields.add("state", job.state.rawValue, tint: job.state.tint)
    fields.add("reason", job.reason)
    fields.add("user", "\(job.user) (uid \(job.uid))")
    fields.add("project", job.project)
    fields.add("queue", job.queue)
    fields.add("kind", job.kind)
    if let command = detail.spec.command { fields.add("command", shellWords(command.argv)) }
    fields.add("workdir", detail.spec.sandbox.workdir)
    fields.add("resources", words(job.resources))
    fields.add("placement", detail.placement?.description)
    fields.add("after", detail.spec.schedule.after.map(\.description).joined(separator: ", "))
    fields.add("retries", detail.spec.schedule.retries > 0 ? "\(detail.spec.schedule.retries)" : nil)
    fields.add("attempt", "\(job.attempt)")
    fields.add("submitted", "\(job.submittedAt)")
    fields.add("started", job.startedAt?.description)
    fields.add("ended", job.endedAt?.description)
    fields.add("run time", job.runTime(at: now).map { brief(seconds: $0) })
    fields.add("exit status", job.exitStatus.map { "\($0)" })
    fields.add("signal", job.signal.map { "\($0)" })
    fields.add("progress", job.progress.map(words))
    fields.add("energy", energyLine(job.energy))
    if job.energy.tier != nil {
        fields.add(
            "of which",
            "\(Energy(joules: job.energy.activeJ)) active, "
                + "\(Energy(joules: job.energy.reservedIdleJ)) reserved idle")
    }
    fields.add("cost", costLine(job.energy))
    if let savings = detail.savings { fields.add("run at once", words(savings)) }
    var result = fields.text
    result += section("transitions", transitions(detail.transitions), style)
    result += section("sandbox, as enforced", lines(detail.enforced), style)
    result += section("metrics", metrics(detail.metrics), style)
    result += section("artifacts", lines(detail.artifacts.map(words)), style)
    return result
}

/// `mlctl why ID`.
package func text(_ why: Explanation, style: Style) -> String {
    var fields = Fields(style: style)
    fields.add("job", "\(why.id)")
    fields.add("state", why.state.rawValue, tint: why.state.tint)
    fields.add("reason", why.reason)
    fields.add("rule", why.rule)
    fields.add("would start", why.ahead.map { startWords(why.expectedStart, ahead: $0) })
    fields.add("what helps", why.hint)
    return fields.text
}

/// `2026-11-24T08:02:00Z, an estimate: 2 jobs before it`.
private func startWords(_ start: Timestamp?, ahead: Int) -> String {
    let before = ahead == 0 ? "" : ": \(ahead) job\(ahead == 1 ? "" : "s") before it"
    return (start.map { "\($0), an estimate" } ?? "nobody can tell") + before
}

/// One line for the end of `run`, `submit --wait` and `wait`.
package func summary(_ job: JobRecord, now: Timestamp) -> String {
    let time = job.runTime(at: now).map { " after \(brief(seconds: $0))" } ?? ""
    let reason = job.state == .succeeded || job.reason.isEmpty ? "" : " (\(job.reason))"
    return printable("job \(job.reference) \(job.state.rawValue)\(time)\(reason): \(energyLine(job.energy))")
}

/// `0.000123 EUR, without 1.2 kJ of which no price was known`.
private func costLine(_ figures: EnergyFigures) -> String? {
    guard let cost = cost(figures) else { return nil }
    return cost + (figures.unpricedJ.map { ", without \(Energy(joules: $0)) of which no price was known" } ?? "")
}

/// `from 2026-11-24T08:00:00Z, 0.2 gCO2e: 0.05 g saved`.
private func words(_ savings: Savings) -> String {
    var text = "from \(savings.baselineStart)"
    guard let baseline = savings.baselineCarbonG, let saved = savings.carbonSavedG else { return text }
    text += ", \(significant(baseline)) gCO2e: "
    return text + (saved < 0 ? "\(significant(-saved)) g less than it caused" : "\(significant(saved)) g saved")
}

private func words(_ artifact: Artifact) -> String {
    let size = artifact.bytes.map { "  (\(ByteSize(bytes: $0)))" } ?? ""
    return "\(artifact.kind)  \(artifact.path)\(size)"
}

private func words(_ resources: JobSpec.Resources) -> String {
    var parts = [resources.cpus == 1 ? "1 cpu" : "\(resources.cpus) cpus", resources.memory.description]
    if let gpus = resources.gpuWords {
        parts.append(gpus + (resources.gpuMemory == nil ? "" : resources.mayShareGPUs ? ", may share" : ", alone"))
    }
    if let limit = resources.timeLimit { parts.append("at most " + brief(seconds: limit)) }
    return parts.joined(separator: ", ")
}

private func words(_ progress: Progress) -> String {
    var parts = ["epoch \(progress.epoch)" + (progress.epochs.map { "/\($0)" } ?? "")]
    if let step = progress.step { parts.append("step \(step)" + (progress.steps.map { "/\($0)" } ?? "")) }
    if let samples = progress.samples { parts.append("\(samples) samples") }
    return parts.joined(separator: ", ")
}

/// The arguments so that they could be pasted into a shell.
private func shellWords(_ argv: [String]) -> String {
    argv.map { word in
        let isPlain =
            !word.isEmpty && word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./=:,+@%".contains($0)) }
        return isPlain
            ? word : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }.joined(separator: " ")
}

private func transitions(_ transitions: [Transition]) -> String {
    guard !transitions.isEmpty else { return "" }
    var table = Table([.init("AT"), .init("FROM"), .init("TO"), .init("CAUSE", flexible: true)])
    for transition in transitions {
        table.add([
            .init(transition.at.precise), .init(transition.from?.rawValue ?? "-"),
            .init(transition.to.rawValue, tint: transition.to.tint), .init(transition.cause),
        ])
    }
    return table.render()
}

private func metrics(_ metrics: [Metric]) -> String {
    guard !metrics.isEmpty else { return "" }
    var table = Table([
        .init("EPOCH", .right, optional: true), .init("SPLIT", optional: true), .init("METRIC"), .init("VALUE", .right),
    ])
    for metric in metrics {
        table.add([
            .init(metric.epoch.map { "\($0)" } ?? ""), .init(metric.split ?? ""), .init(metric.name),
            .init(significant(metric.value, digits: 4)),
        ])
    }
    return table.render()
}

private func lines(_ lines: [String]) -> String { lines.map { printable($0) + "\n" }.joined() }

func section(_ title: String, _ body: String, _ style: Style) -> String {
    guard !body.isEmpty else { return "" }
    let indented = body.split(separator: "\n", omittingEmptySubsequences: true).map { "  " + $0 + "\n" }.joined()
    return "\n" + style.tinted(title, .bold) + "\n" + indented
}

/// Names and values, one a line.
struct Fields {
    var style: Style
    private(set) var rows: [(name: String, value: Table.Cell)] = []

    init(style: Style) {
        self.style = style
    }

    mutating func add(_ name: String, _ value: String?, tint: Style.Tint? = nil) {
        if let value, !value.isEmpty { rows.append((name, .init(value, tint: tint))) }
    }

    var text: String {
        let width = rows.reduce(0) { max($0, $1.name.count) }
        return rows.map { row in
            let padding = String(repeating: " ", count: width - row.name.count + 2)
            return style.tinted(row.name, .dim) + padding + style.tinted(row.value.text, row.value.tint) + "\n"
        }.joined()
    }
}
