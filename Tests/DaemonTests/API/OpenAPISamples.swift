import ConfigFile
import Foundation
import JobAPI
import Units

/// One value of each type that goes over the wire, with every key of it set: a key that is left out would be missed.
enum OpenAPISamples {
    static let at = Timestamp(microseconds: 1_790_000_000_123_000)

    /// By the names of the schemas.
    static var values: [(name: String, value: any Codable)] {
        requests + jobs + machine + reports + policy
    }

    static let enumerations: [(name: String, cases: [String])] = [
        ("JobState", JobState.allCases.map(\.rawValue)), ("Tier", Tier.allCases.map(\.rawValue)),
        ("JobSignal", JobSignal.allCases.map(\.rawValue)), ("JobAction", JobAction.allCases.map(\.rawValue)),
        ("ReportGrouping", ReportGrouping.allCases.map(\.rawValue)),
        ("BillingBasis", BillingBasis.allCases.map(\.rawValue)),
        ("ErrorCode", APIError.Code.allCases.map(\.rawValue)),
        ("JobEventType", JobEvent.Kind.allCases.map(\.rawValue)),
    ]

    private static var requests: [(name: String, value: any Codable)] {
        let problem = ConfigProblem(file: "a.toml", line: 1, message: "wrong", hint: "mend it")
        let error = APIError(.refused, "no", hint: "ask", details: [problem])
        return [
            ("Error", APIError.Envelope(error)), ("ErrorBody", error), ("Problem", problem), ("JobSpec", spec),
            ("Resources", spec.resources), ("Schedule", spec.schedule), ("SandboxRequest", spec.sandbox),
            ("Command", JobSpec.Command(argv: ["true"], env: ["A": "b"])), ("TrainRequest", train),
            ("Notification", JobSpec.Notification(mail: "ada@example.org", on: [.failed])),
            ("BudgetGrantRequest", BudgetGrantRequest(amount: "1 kWh", reason: "more")),
        ]
    }

    private static var train: JobSpec.TrainRequest {
        var table = ConfigTable()
        table.set("epochs", ConfigNode(.integer(1)), line: 0)
        return JobSpec.TrainRequest(train: table, data: table, model: table)
    }

    /// No job has both `command` and `train`; here each has to be seen.
    private static var spec: JobSpec {
        var spec = JobSpec(
            name: "a", project: "b", queue: "c",
            resources: .init(
                cpus: 1, memory: .gibibytes(1), gpus: 1, gpuMemory: .gibibytes(1), gpuModel: "a", gpuShare: true,
                timeLimit: 60),
            schedule: .init(
                notBefore: at, after: [Dependency(JobReference(JobID(1)))], retries: 1, retryDelay: 2,
                interruptible: true, warnBefore: 3, warnSignal: .usr1, deadline: at),
            sandbox: .init(
                workdir: "/a", network: true, readOnly: ["/b"], readWrite: ["/c"], devices: ["/dev/d"],
                maxProcesses: 1, maxFileSize: .gibibytes(1), maxOpenFiles: 2, maxCoreSize: .zero),
            array: try? JobArray("1-3"), command: .init(argv: ["true"], env: ["A": "b"]), train: train)
        spec.notify = JobSpec.Notification(mail: "ada@example.org", on: [.failed])
        return spec
    }

    private static let progress = Progress(epoch: 1, epochs: 2, step: 3, steps: 4, samples: 5)
    private static let metric = Metric(name: "loss", split: "train", value: 0.5, epoch: 1)
    private static let artifact = Artifact(kind: "model", path: "/m", bytes: 1)
    private static let placement = Placement(cpus: [0], nodes: [0], gpus: [gpu])
    private static let gpu = Placement.GPU(index: 0, id: "gpu-0", shared: true)
    private static let transition = Transition(at: at, from: .queued, to: .starting, cause: "start")
    private static let figures = EnergyFigures(
        energyJ: 1.5, tier: .measured, waterL: 0.5, cost: 0.1, currency: "EUR", unpricedJ: 1)

    private static var record: JobRecord {
        JobRecord(
            id: JobID(1), array: ArrayPlace(id: JobID(1), index: 2), name: "a", user: "ada", uid: 1, project: "p",
            queue: "q", kind: "command", state: .failed, reason: "exit status 1", attempt: 1, submittedAt: at,
            startedAt: at, endedAt: at, exitStatus: 1, signal: 9, resources: .init(timeLimit: 1), energy: figures,
            progress: progress)
    }

    private static var savings: Savings {
        Savings(baselineStart: at, baselineRunS: 1, baselinePowerW: 2, baselineCarbonG: 3, carbonSavedG: -1)
    }

    private static var event: JobEvent {
        var event = JobEvent(type: .state, at: at)
        (event.state, event.reason, event.exitStatus, event.signal) = (.failed, "a", 1, 9)
        (event.progress, event.metric) = (progress, metric)
        (event.powerW, event.energyJ, event.carbonG) = (1, 2, 3)
        (event.stream, event.text, event.missing) = ("stdout", "x", 1)
        return event
    }

    private static var jobs: [(name: String, value: any Codable)] {
        [
            ("Submitted", Submitted(id: JobID(1), state: .queued, reason: "waits", elements: 3)),
            ("JobList", JobList(jobs: [record])), ("JobRecord", record),
            ("ArrayPlace", ArrayPlace(id: JobID(1), index: 2)),
            ("EnergyFigures", figures), ("Progress", progress), ("Metric", metric), ("Artifact", artifact),
            (
                "JobDetail",
                JobDetail(
                    job: record, spec: spec, transitions: [transition], enforced: ["x"], artifacts: [artifact],
                    metrics: [metric], placement: placement, savings: savings)
            ),
            ("Transition", transition), ("Placement", placement), ("PlacedGPU", gpu),
            ("Savings", savings), ("JobEvent", event),
            (
                "Explanation",
                Explanation(
                    id: JobID(1), state: .queued, reason: "a", rule: "a.toml:1", hint: "b", expectedStart: at, ahead: 1)
            ),
            (
                "ArrayReport",
                ArrayReport(
                    id: JobID(1), name: "a", user: "ada", states: ["queued": 1], jobs: [record], changed: 1)
            ),
        ]
    }

    private static var estimate: Estimate {
        var estimate = Estimate(admission: admission, notes: ["a"])
        (estimate.timeLimitS, estimate.runs, estimate.likes) = (60, 3, "of one name")
        (estimate.durationS, estimate.powerW, estimate.energyJ) = (range, range, range)
        (estimate.tier, estimate.powerBasis, estimate.currency) = (.measured, "its runs", "EUR")
        (estimate.expectedStart, estimate.ahead, estimate.deadline) = (at, 2, at)
        (estimate.now, estimate.greenest) = (start, start)
        return estimate
    }

    private static let range = Estimate.Range(low: 1, expected: 2, high: 3)
    private static let admission = Estimate.Admission(
        accepted: false, reason: "no", rule: "a.toml:1", hint: "ask", queue: "q")
    private static let start = Estimate.Start(at: at, intensityGPerKwh: 100, carbonG: range, cost: range)

    private static var signal: GridReport.Signal {
        GridReport.Signal(
            quantity: "intensity", unit: "g/kWh", value: 100, origin: "measured", source: "x", ageS: 1, fetchedAt: at,
            nextLook: at, knownUntil: at, forecastOf: "model", errorPercent: ["1": 3], trouble: "a", lack: "b")
    }

    private static var machine: [(name: String, value: any Codable)] {
        let device = DeviceReport.Device(kind: "cpu", name: "a", capacity: "2", used: "1")
        let meter = DeviceReport.Meter(
            domain: "package-0", source: "RAPL", tier: .measured, status: "ok", powerW: 1, powerLowW: 1, powerHighW: 1)
        let power = DeviceReport.Power(
            capW: 100, source: "a.toml:1", idleW: 10, predictedW: 50, measuredW: 40, actions: ["x"])
        return [
            (
                "Health",
                Health(version: "1", mode: "user", pid: 1, since: at, stateDirectory: "/s", peerUid: 1)
            ),
            (
                "DeviceReport",
                DeviceReport(
                    devices: [device], meters: [meter], carbonIntensityGPerKwh: 100, carbonSource: "x", pue: 1.5,
                    signals: [signal], power: power)
            ),
            ("Device", device), ("Meter", meter), ("Power", power), ("GridReport", GridReport(signals: [signal])),
            ("Signal", signal), ("Estimate", estimate), ("Range", range), ("Admission", admission), ("Start", start),
        ]
    }

    private static var reports: [(name: String, value: any Codable)] {
        var row = EnergyReport.Row(
            key: "a", name: "b", user: "ada", state: .failed, jobs: 1, durationS: 2, figures: figures)
        (row.epochs, row.samples, row.energyPerEpochJ, row.energyPerSampleJ) = (1, 2, 3, 4)
        (row.embodiedG, row.sciPerJobG, row.sciPerEpochG, row.sciPerSampleG) = (1, 2, 3, 4)
        (row.wasteJ, row.overReservedJ, row.carbonSavedG) = (1, 2, 3)
        let balance = EnergyReport.Balance(meteredUj: 6, jobsUj: 2, systemUj: 1, mldUj: 1, idleUj: 1, gapUj: 1)
        let period = EnergyReport.Period(since: at, until: at)
        let finding = AuditReport.Finding(check: "chain", row: "jobs id=1", problem: "edited")
        var job = HistoryPage.Job(
            id: JobID(1), name: "a", user: "ada", project: "p", queue: "q", cpus: 1, memoryBytes: .gibibytes(1),
            gpus: 1, timeLimitS: 60, submittedAt: at, notBefore: at, deadline: at, durationS: 1, waitedS: 2, powerW: 3,
            state: .succeeded, kind: "k", groups: ["g"])
        (job.gpuMemoryBytes, job.gpuModel, job.gpuShare) = (.gibibytes(1), "a", true)
        let card = HistoryPage.Machine.Card(model: "a", memoryBytes: .gibibytes(1))
        let intensity = HistoryPage.Intensity(from: at, gPerKwh: 100, pue: 1.5)
        let machine = HistoryPage.Machine(
            cpus: 2, memoryBytes: .gibibytes(1), gpus: 1, cards: [card], idleW: 10, idleUnknown: ["x"])
        return [
            (
                "EnergyReport",
                EnergyReport(
                    period: period, by: .user, rows: [row], totals: row, balance: balance, notes: ["x"])
            ),
            ("Period", period), ("ReportRow", row), ("Balance", balance),
            (
                "AuditReport",
                AuditReport(findings: [finding], rows: ["jobs": 1], entries: 1, head: "ab", unsealedRows: 1, at: at)
            ),
            ("Finding", finding), ("PastJob", job), ("Intensity", intensity), ("Machine", machine),
            ("Card", card),
            (
                "HistoryPage",
                HistoryPage(
                    jobs: [job], next: JobID(2), until: at, intensities: [intensity], machine: machine)
            ),
        ]
    }

    private static var policy: [(name: String, value: any Codable)] {
        var row = BudgetReport.Row(
            name: "a", kind: "energy", limit: "1 kWh/day", spentPart: 0.5, state: "open", whenSpent: "hold", until: at,
            source: "a.toml:1")
        (row.energySpentJ, row.energyLimitJ, row.carbonSpentG, row.carbonLimitG) = (1, 2, 3, 4)
        (row.moneySpent, row.moneyLimit, row.currency, row.granted) = (5, 6, "EUR", "1 kWh")
        row.unpricedJ = 1
        let line = PolicyReport.Line(key: "a.b", value: "c", source: "built in")
        let file = PolicyTexts.File(name: "a.toml", text: "")
        return [
            ("BudgetReport", BudgetReport(budgets: [row], at: at)), ("BudgetRow", row),
            (
                "PolicyReload",
                PolicyReload(
                    hash: "ab", files: ["a.toml"], changed: true,
                    warnings: [ConfigProblem(file: "a.toml", line: 1, message: "late", hint: "mend it")])
            ),
            ("PolicyReport", PolicyReport(files: ["a.toml"], hash: "ab", settings: [line])), ("Setting", line),
            ("PolicyTexts", PolicyTexts(hash: "ab", files: [file])), ("PolicyFile", file),
        ]
    }
}
