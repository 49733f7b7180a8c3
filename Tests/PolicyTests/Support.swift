import ConfigFile
import JobAPI
import Testing
import Units

@testable import Policy

let gib = ByteSize.gibibytes
let wholeMachine = MachineCapacity(cpus: 4, memory: .gibibytes(16), gpus: 1)
let alice = Submitter(uid: 1001, user: "alice", groups: ["staff", "vision"], home: "/home/alice")

/// Tuesday 2026-11-24, 10:00 UTC.
let tuesday = Timestamp(seconds: 1_795_514_400)

func at(_ text: String) throws -> Timestamp { try Timestamp(parsing: text) }

func policy(_ text: String, file: String = "p.toml") throws -> PolicySet {
    try PolicySet.load(files: [(name: file, text: text)])
}

func problems(_ text: String) -> [String] {
    PolicyCheck.check(files: [(name: "p.toml", text: text)]).map(\.description)
}

func job(
    cpus: Int = 1, memory: ByteSize = .gibibytes(1), gpus: Int = 0, time: Double? = nil, queue: String? = nil,
    project: String? = nil, notBefore: Timestamp? = nil, sandbox: JobSpec.SandboxRequest = .init(),
    command: JobSpec.Command? = .init(argv: ["true"]), train: JobSpec.TrainRequest? = nil
) -> JobSpec {
    JobSpec(
        project: project, queue: queue, resources: .init(cpus: cpus, memory: memory, gpus: gpus, timeLimit: time),
        schedule: .init(notBefore: notBefore), sandbox: sandbox, command: command, train: train)
}

/// Alice's job, as rules see it.
func subject(
    _ submitter: Submitter = alice, queue: String = "batch", project: String = "default", cpus: Int = 1, gpus: Int = 0,
    interruptible: Bool = false
) -> RuleMatch.Subject {
    RuleMatch.Subject(
        submitter: submitter, project: project, queue: queue, kind: "command", cpus: cpus, gpus: gpus,
        memory: .gibibytes(1), interruptible: interruptible)
}

func warnings(_ text: String) -> [String] {
    let verdict = PolicyCheck.verdict(files: [(name: "p.toml", text: text)])
    return (verdict.problems + verdict.warnings).map(\.description)
}

extension PolicySet {
    func ask(
        _ spec: JobSpec, by submitter: Submitter = alice, queued: Int = 0, inProject: Int = 0, now: Timestamp = tuesday,
        in conditions: Conditions = .unknown
    ) -> Admission {
        admit(
            spec, by: submitter, machine: wholeMachine, queuedByUser: queued, queuedByProject: inProject, now: now,
            conditions: conditions)
    }
}

extension Admission {
    var job: AdmittedJob? { if case .accepted(let job) = self { job } else { nil } }
    var refusal: Refusal? { if case .refused(let refusal) = self { refusal } else { nil } }
}
