import JobAPI
import Units

/// Values the fake server answers with.
enum Samples {
    static let start = Timestamp(microseconds: 1_795_507_260_000_000)

    static func at(_ seconds: Double) -> Timestamp { start.advanced(by: .seconds(seconds)) }

    static let figures = EnergyFigures(
        energyJ: 1234.5, energyLowJ: 1100, energyHighJ: 1400, activeJ: 1200.5, reservedIdleJ: 34, carbonG: 0.12345,
        carbonLowG: 0.11, carbonHighG: 0.14, tier: .table)

    static func job(
        _ id: Int64 = 7, state: JobState = .succeeded, reason: String = "exited with status 0", exit: Int? = 0,
        signal: Int? = nil
    ) -> JobRecord {
        JobRecord(
            id: JobID(id), name: "fashion", user: "ada", uid: 1000, project: "vision", queue: "batch", kind: "train",
            state: state, reason: reason, attempt: 1, submittedAt: at(-2), startedAt: at(0),
            endedAt: state.isFinal ? at(45) : nil, exitStatus: exit, signal: signal,
            resources: .init(cpus: 2, memory: .gibibytes(2), timeLimit: 3600), energy: figures,
            progress: Progress(epoch: 3, epochs: 10, step: 5, steps: 100, samples: 960))
    }

    static let queued: JobRecord = {
        var job = Self.job(8, state: .queued, reason: "waits for 2 cpus", exit: nil)
        job.name = "evil\u{1b}]0;pwned\u{07}"
        (job.startedAt, job.endedAt, job.progress, job.energy) = (nil, nil, nil, EnergyFigures())
        return job
    }()

    static func detail(_ job: JobRecord = job()) -> JobDetail {
        JobDetail(
            job: job,
            spec: JobSpec(
                name: job.name, sandbox: .init(workdir: "/home/ada/lab"),
                command: .init(argv: ["python3", "train it.py", "--lr=0.1"])),
            transitions: [
                Transition(at: at(-2), from: nil, to: .queued, cause: "submitted"),
                Transition(at: at(-1), from: .queued, to: .starting, cause: "2 of 2 cpus free"),
                Transition(at: at(0), from: .starting, to: .running, cause: "started"),
                Transition(at: at(45), from: .running, to: .succeeded, cause: "exited with status 0"),
            ],
            enforced: ["filesystem: read-only but /home/ada/lab", "network: none"],
            artifacts: [
                Artifact(kind: "model", path: "/home/ada/lab/model.safetensors"),
                Artifact(kind: "output", path: "/home/ada/lab/figures/loss.svg", bytes: 20_480),
            ],
            metrics: [
                Metric(name: "loss", split: "train", value: 0.43219, epoch: 3),
                Metric(name: "accuracy", split: "test", value: 0.8841),
            ])
    }

    static let submitted = Submitted(id: JobID(7), state: .queued, reason: "waits for 2 cpus")

    static func state(_ state: JobState, at seconds: Double, reason: String = "", exit: Int? = nil) -> JobEvent {
        var event = JobEvent(type: .state, at: at(seconds))
        (event.state, event.reason, event.exitStatus) = (state, reason, exit)
        return event
    }

    static func log(_ text: String, _ stream: String = "stdout", at seconds: Double) -> JobEvent {
        var event = JobEvent(type: .log, at: at(seconds))
        (event.stream, event.text) = (stream, text)
        return event
    }

    static func progress(_ epoch: Int, step: Int, at seconds: Double) -> JobEvent {
        var event = JobEvent(type: .progress, at: at(seconds))
        event.progress = Progress(epoch: epoch, epochs: 2, step: step, steps: 100)
        return event
    }

    static func metric(_ name: String, _ split: String, _ value: Double, epoch: Int, at seconds: Double) -> JobEvent {
        var event = JobEvent(type: .metric, at: at(seconds))
        event.metric = Metric(name: name, split: split, value: value, epoch: epoch)
        return event
    }

    static func power(_ watts: Double, _ joules: Double, at seconds: Double) -> JobEvent {
        var event = JobEvent(type: .power, at: at(seconds))
        (event.powerW, event.energyJ, event.carbonG) = (watts, joules, joules / 1e4)
        return event
    }

    /// A training job of two epochs.
    static let training: [JobEvent] = [
        state(.queued, at: -2, reason: "waits for 2 cpus"), state(.running, at: 0), progress(1, step: 50, at: 10),
        power(31.5, 315, at: 10), metric("loss", "train", 0.5123, epoch: 1, at: 20),
        metric("accuracy", "validation", 0.85, epoch: 1, at: 20), progress(2, step: 1, at: 21),
        metric("loss", "train", 0.4123, epoch: 2, at: 40), metric("accuracy", "validation", 0.88, epoch: 2, at: 40),
        power(32.5, 1234.5, at: 44), state(.succeeded, at: 45, reason: "exited with status 0", exit: 0),
    ]

    static let why = Explanation(
        id: JobID(8), state: .queued, reason: "needs 2 cpus; 1 of 2 is free", rule: "policies/default.toml:12",
        hint: "job 7 ends in about 3 min; or ask for 1 cpu")

    static let devices = DeviceReport(
        devices: [
            .init(kind: "cpu", name: "Xeon (2 cores)", capacity: "2", used: "1"),
            .init(kind: "memory", name: "memory", capacity: "7.8 GiB", used: "2 GiB"),
        ],
        meters: [
            .init(
                domain: "cpu-model", source: "2 vCPUs, table", tier: .table, status: "no counter on this machine",
                powerW: 12.34, powerLowW: 9.5, powerHighW: 15.25),
            .init(domain: "package-0", source: "powercap", tier: .gap, status: "energy_uj is not readable"),
        ],
        carbonIntensityGPerKwh: 363.2, carbonSource: "DE 2024, table", pue: 1.2)

    static let policy = PolicyReport(
        files: ["policies/default.toml"], hash: "9f86d081884c7d65",
        settings: [
            .init(key: "machine.reserve-cpus", value: "0", source: "policies/default.toml:3"),
            .init(key: "site.pue", value: "1.2", source: "built in"),
        ])

    static func report(by: ReportGrouping = .job) -> EnergyReport {
        var row = EnergyReport.Row(
            key: by == .job ? "7" : "2026-11-24", name: by == .job ? "fashion" : nil,
            user: by == .job ? "ada" : nil, state: by == .job ? .succeeded : nil, jobs: 1, durationS: 45,
            figures: figures)
        if by == .job {
            (row.epochs, row.samples) = (10, 600_000)
            (row.energyPerEpochJ, row.energyPerSampleJ) = (123.45, 0.0020575)
        }
        var idle = EnergyFigures(energyJ: 500, energyLowJ: 400, energyHighJ: 600, tier: .table)
        (idle.carbonG, idle.carbonLowG, idle.carbonHighG) = (0.05, 0.04, 0.06)
        return EnergyReport(
            period: .init(since: at(-3600), until: at(3600)), by: by,
            rows: [row, .init(key: "(idle)", jobs: 0, durationS: 0, figures: idle)],
            totals: .init(key: "total", jobs: 1, durationS: 45, figures: figures),
            balance: .init(
                meteredUj: 2_000_000_000, jobsUj: 1_234_500_000, systemUj: 200_000_000, mldUj: 65_500_000,
                idleUj: 500_000_000, gapUj: 0),
            notes: ["power from a table of watts per vCPU (Cloud Carbon Footprint, 2023)"])
    }
}
