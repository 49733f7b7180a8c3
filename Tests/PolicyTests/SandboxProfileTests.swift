import JobAPI
import Testing
import Units

@testable import Policy

@Suite struct SandboxProfileTests {
    private let set = """
        [queue.a]
        default = true
        [queue.b]
        sandbox = "open"
        [sandbox.default]
        read-only = ["~", "/data"]
        read-write = ["~/results", "/scratch/"]
        [sandbox.open]
        network = true
        """

    private func answer(
        workdir: String? = nil, network: Bool = false, readOnly: [String] = [], readWrite: [String] = [],
        queue: String = "a", by submitter: Submitter = alice
    ) throws -> Admission {
        let request = JobSpec.SandboxRequest(
            workdir: workdir, network: network, readOnly: readOnly, readWrite: readWrite)
        return try policy(set).ask(job(queue: queue, sandbox: request), by: submitter)
    }

    @Test func networkIsForQueuesThatAllowIt() throws {
        let refusal = try #require(try answer(network: true).refusal)
        #expect(
            refusal.message
                == "asks for the network, which jobs in queue \"a\" may not have (sandbox.default.network, built in)")
        let granted = try #require(try answer(network: true, queue: "b").job)
        #expect(granted.sandbox.network.value)
        #expect(granted.sandbox.name == "open")
    }

    @Test func pathsLieUnderThePrefixes() throws {
        #expect(try answer(readOnly: ["/data", "/data/x/", "/home/alice/data", "/data//./x"]).job != nil)
        #expect(try answer(readWrite: ["/home/alice/results/1", "/scratch"]).job != nil)
        for path in ["/database", "/home/alicia", "/home/bob", "/etc", "/data/../etc", "data", "", "~", "/data/\0x"] {
            #expect(try answer(readOnly: [path]).refusal != nil, "\(path)")
        }
        let refusal = try #require(try answer(readWrite: ["/data/x"]).refusal)
        #expect(
            refusal.message
                == "sandbox.read-write is \"/data/x\", where jobs may not write (sandbox.default.read-write, p.toml:7)")
        #expect(refusal.hint == "allowed is what lies under: ~/results, /scratch/")
        #expect(refusal.rule?.line == 7)
    }

    @Test func theWorkingDirectoryIsWritten() throws {
        #expect(try answer(workdir: "/scratch/run").job != nil)
        #expect(
            try answer(workdir: "/data").refusal?.message.hasPrefix(
                "sandbox.workdir is \"/data\", where jobs may not write") ?? false)
    }

    @Test func noHomeNoTilde() throws {
        let nobody = Submitter(uid: 9, user: "nobody", groups: [])
        #expect(try answer(readOnly: ["/home/alice"], by: nobody).refusal != nil)
        #expect(try answer(readOnly: ["/~"], by: nobody).refusal != nil)
        #expect(try answer(readOnly: ["/data"], by: nobody).job != nil)
    }

    /// Whatever the policy says: there the meters and other people's processes show.
    @Test(arguments: ["/", "//", "/.", "/sys", "/sys/class/powercap", "/proc/1/mem", "/dev/cpu/0/msr", "//sys/./x"])
    func neverGiven(path: String) throws {
        #expect(
            PolicySet.builtIn.ask(job(sandbox: .init(readOnly: [path]))).refusal?.message.hasSuffix(
                "which no job is given") ?? false)
        #expect(
            PolicySet.builtIn.ask(job(sandbox: .init(workdir: path))).refusal?.hint
                == "submit from a directory of your own, or set sandbox.workdir")
    }

    @Test func resolvedPathsCanBeAskedAgain() {
        let profile = PolicySet.builtIn.sandboxes[0]
        #expect(profile.allows("/srv/x", writing: true, for: alice))
        #expect(!profile.allows("/sys/x", writing: false, for: alice))
        #expect(profile.allows("/system", writing: false, for: alice))
    }
}
