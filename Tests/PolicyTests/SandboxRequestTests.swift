import ConfigFile
import JobAPI
import Testing
import Units

@testable import Policy

/// What a job asks of devices and limits, and the answers.
@Suite struct SandboxRequestTests {
    private let set = """
        [queue.a]
        default = true
        [sandbox.default]
        devices = ["/dev/dri", "/dev/kfd"]
        max-memory = "2 GiB"
        max-cpus = 2
        max-processes = 100
        max-file-size = "1 GiB"
        max-open-files = 64
        max-core-size = "1 MiB"
        bind = ["/srv/datasets"]
        read-only = ["~"]
        read-write = ["~"]
        """

    private func refusal(_ request: JobSpec.SandboxRequest) throws -> Refusal? {
        try policy(set).ask(job(sandbox: request)).refusal
    }

    @Test func lessThanThePolicyGrantsIsTaken() throws {
        let request = JobSpec.SandboxRequest(
            devices: ["/dev/dri/renderD128", "/dev/kfd"], maxProcesses: 100, maxFileSize: .mebibytes(1),
            maxOpenFiles: 16, maxCoreSize: .zero)
        let asked = job(cpus: 2, memory: .gibibytes(2), sandbox: request)
        #expect(try policy(set).ask(asked).job != nil)
        #expect(try policy(set).ask(job(sandbox: .init(readOnly: ["/srv/datasets/mnist"]))).job != nil)
    }

    @Test(arguments: [
        (
            JobSpec.SandboxRequest(devices: ["/dev/dri", "/dev/nvidia0"]),
            "sandbox.devices has \"/dev/nvidia0\", which jobs in queue \"a\" may not have (sandbox.default.devices, p.toml:4)",
            "allowed here: /dev/dri, /dev/kfd", 4
        ),
        (
            .init(maxProcesses: 101),
            "sandbox.max-processes is 101; jobs in queue \"a\" may have at most 100 (sandbox.default.max-processes, p.toml:7)",
            "ask for at most max-processes = 100", 7
        ),
        (
            .init(maxFileSize: .gibibytes(2)),
            "sandbox.max-file-size is 2 GiB; jobs in queue \"a\" may have at most 1 GiB (sandbox.default.max-file-size, p.toml:8)",
            "ask for at most max-file-size = \"1 GiB\"", 8
        ),
        (
            .init(maxOpenFiles: 65),
            "sandbox.max-open-files is 65; jobs in queue \"a\" may have at most 64 (sandbox.default.max-open-files, p.toml:9)",
            "ask for at most max-open-files = 64", 9
        ),
        (
            .init(maxCoreSize: .mebibytes(2)),
            "sandbox.max-core-size is 2 MiB; jobs in queue \"a\" may have at most 1 MiB (sandbox.default.max-core-size, p.toml:10)",
            "ask for at most max-core-size = \"1 MiB\"", 10
        ),
    ])
    func moreIsRefusedWithTheLine(request: JobSpec.SandboxRequest, message: String, hint: String, line: Int) throws {
        let refusal = try #require(try refusal(request))
        #expect(refusal.message == message)
        #expect(refusal.hint == hint)
        #expect(refusal.rule?.line == line)
    }

    @Test func resourcesAreBoundByTheProfileToo() throws {
        let cpus = try #require(try policy(set).ask(job(cpus: 3)).refusal)
        #expect(
            cpus.message
                == "asks for 3 cpus; jobs in queue \"a\" may have at most 2 (sandbox.default.max-cpus, p.toml:6)")
        let memory = try #require(try policy(set).ask(job(memory: .gibibytes(3))).refusal)
        #expect(
            memory.message
                == "asks for 3 GiB of memory; jobs in queue \"a\" may have at most 2 GiB (sandbox.default.max-memory, p.toml:5)"
        )
        #expect(memory.hint == "ask for at most memory = \"2 GiB\"")
    }

    @Test(arguments: [
        (JobSpec.SandboxRequest(devices: ["/dev/mem"]), "which no job is given"),
        (.init(devices: ["/etc/passwd"]), "which is not a path below /dev"),
        (.init(devices: ["/dev/dri/../mem"]), "which is not a path below /dev"),
        (.init(devices: [""]), "which is not a path below /dev"),
        (.init(maxProcesses: 0), "sandbox.max-processes is 0"),
        (.init(maxProcesses: -5), "sandbox.max-processes is -5"),
        (.init(maxFileSize: ByteSize(bytes: -1)), "sandbox.max-file-size is -1 B"),
        (.init(maxOpenFiles: 0), "sandbox.max-open-files is 0"),
        (.init(maxCoreSize: ByteSize(bytes: -1)), "sandbox.max-core-size is -1 B"),
    ])
    func nonsenseFromTheWireIsRefused(request: JobSpec.SandboxRequest, part: String) throws {
        #expect(try #require(try refusal(request)).message.contains(part))
    }

    /// A training job is shown its data, so its data must lie where jobs may read.
    @Test func trainingDataIsAPathLikeAnother() throws {
        func train(_ path: String) throws -> Admission {
            let data = try TOMLParser.parse("path = \"\(path)\"\n", file: "j.toml")
            let spec = job(command: nil, train: .init(train: ConfigTable(), data: data, model: ConfigTable()))
            return try policy(set).ask(spec)
        }
        #expect(try train("/home/alice/data").job != nil)
        #expect(try train("/srv/datasets/x").job != nil)
        #expect(
            try train("/srv/other").refusal?.message
                == "data.path is \"/srv/other\", where jobs may not read (sandbox.default.read-only, p.toml:12)")
    }
}
