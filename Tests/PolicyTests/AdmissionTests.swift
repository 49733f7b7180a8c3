import ConfigFile
import JobAPI
import Testing
import Units

@testable import Policy

@Suite struct AdmissionTests {
    @Test func aPlainJobGetsTheDefaults() throws {
        let admitted = try #require(PolicySet.builtIn.ask(job()).job)
        #expect(admitted.queue == "batch")
        #expect(admitted.project == "default")
        #expect(admitted.priority == 10)
        #expect(admitted.timeLimit == 86_400)
        #expect(!admitted.held)
        #expect(admitted.notBefore == nil)
        #expect(admitted.rule == nil)
        #expect(admitted.sandbox.name == "default")
    }

    @Test func whatTheJobSaysStands() throws {
        let later = tuesday.advanced(by: .seconds(60))
        let spec = job(time: 90, queue: "interactive", project: "nlp", notBefore: later)
        let admitted = try #require(PolicySet.builtIn.ask(spec).job)
        #expect(admitted.queue == "interactive")
        #expect(admitted.project == "nlp")
        #expect(admitted.priority == 100)
        #expect(admitted.timeLimit == 90)
        #expect(admitted.notBefore == later)
        #expect(admitted.reason == "not before 2026-11-24T10:01:00Z, as the job asks")
        #expect(PolicySet.builtIn.ask(job(notBefore: tuesday)).job?.notBefore == nil)
    }

    @Test func noTimeLimitWhereTheQueueHasNone() throws {
        let set = try policy("[queue.a]\ndefault = true\n")
        let admitted = try #require(set.ask(job()).job)
        #expect(admitted.timeLimit == nil)
        #expect(admitted.priority == 0)
    }

    @Test func largerThanTheMachine() throws {
        let refusal = try #require(PolicySet.builtIn.ask(job(cpus: 64)).refusal)
        #expect(refusal.message == "asks for 64 cpus; the largest job here is 4 cpus, 15.5 GiB, 1 gpu")
        #expect(refusal.hint == "ask for at most 4 cpus, 15.5 GiB, 1 gpu")
        #expect(refusal.rule == nil)
        let both = PolicySet.builtIn.ask(job(memory: gib(100), gpus: 2)).refusal
        #expect(both?.message.hasPrefix("asks for 100 GiB and 2 gpus; the largest") ?? false)
        #expect(PolicySet.builtIn.ask(job(cpus: 4, memory: ByteSize(bytes: (31 << 30) / 2), gpus: 1)).job != nil)
    }

    @Test func withinTheMachineButReserved() throws {
        let set = try policy("[machine]\nreserve-cpus = 3\nreserve-memory = \"1 GiB\"")
        let refusal = try #require(set.ask(job(cpus: 4)).refusal)
        #expect(
            refusal.message
                == "asks for 4 cpus; the largest job here is 1 cpu, 15 GiB, 1 gpu, with 3 cpus reserved by machine.reserve-cpus (p.toml:2)"
        )
        #expect(refusal.rule?.place == "p.toml:2")
        let all = try policy("[machine]\nreserve-cpus = 9").ask(job()).refusal
        #expect(all?.message.hasPrefix("asks for 1 cpu; the largest job here is 0 cpus") ?? false)
        #expect(all?.hint == "the policy reserves the whole machine; ask an admin")
    }

    @Test func unknownQueue() throws {
        let refusal = try #require(PolicySet.builtIn.ask(job(queue: "bacth")).refusal)
        #expect(refusal.message == "there is no queue \"bacth\"")
        #expect(refusal.hint == "did you mean \"batch\"? queues: interactive, batch, long")
        let hostile = try #require(
            PolicySet.builtIn.ask(job(queue: "\u{1B}[2J" + String(repeating: "x", count: 999))).refusal)
        #expect(!hostile.message.contains("\u{1B}") && hostile.message.count < 200)
    }

    @Test func beyondTheQueue() throws {
        let set = try policy("[queue.short]\ndefault = true\nmax-time = \"1 h\"\nmax-cpus-per-job = 2\n[queue.wide]\n")
        let long = try #require(set.ask(job(time: 7200)).refusal)
        #expect(long.message == "asks for 2 h; queue \"short\" allows at most 1 h (queue.short.max-time, p.toml:3)")
        #expect(long.hint == "ask for time = \"1 h\", or use queue wide")
        #expect(long.rule == RuleReference(file: "p.toml", line: 3, name: "queue.short.max-time"))
        let wide = try #require(set.ask(job(cpus: 3)).refusal)
        #expect(
            wide.message
                == "asks for 3 cpus; queue \"short\" allows at most 2 per job (queue.short.max-cpus-per-job, p.toml:4)")
        #expect(set.ask(job(cpus: 2, time: 3600)).job != nil)
        #expect(set.ask(job(cpus: 4, time: 1e6, queue: "wide")).job != nil)
    }

    /// The wire can carry what no job file could.
    @Test func malformedRequests() {
        let train = JobSpec.TrainRequest(train: ConfigTable(), data: ConfigTable(), model: ConfigTable())
        let wrong = [
            job(cpus: 0), job(cpus: .min), job(cpus: .max), job(memory: ByteSize(bytes: -1)), job(memory: .zero),
            job(memory: ByteSize(bytes: .max)), job(gpus: -1), job(gpus: .max), job(time: 0), job(time: -5),
            job(time: .nan), job(time: .infinity), job(time: 1e300), job(command: nil), job(train: train),
            job(project: ""), job(project: "a\nb"), job(project: String(repeating: "x", count: 65)),
            job(command: .init(argv: [])), job(command: .init(argv: [""])),
        ]
        for spec in wrong {
            #expect(PolicySet.builtIn.ask(spec).refusal != nil, "\(spec.resources) \(spec.project ?? "")")
        }
        #expect(PolicySet.builtIn.ask(job(command: nil, train: train)).job != nil)
        #expect(PolicySet.builtIn.ask(job(notBefore: Timestamp(microseconds: .max))).job != nil)
        #expect(PolicySet.builtIn.ask(job(notBefore: Timestamp(microseconds: .min))).job != nil)
    }

    @Test func queuedPerUser() throws {
        let set = try policy("[limits]\nmax-queued-per-user = 2")
        #expect(set.ask(job(), queued: 1).job != nil)
        let refusal = try #require(set.ask(job(), queued: 2).refusal)
        #expect(refusal.message == "alice has 2 jobs queued; limits.max-queued-per-user is 2 (p.toml:2)")
        #expect(refusal.rule?.name == "limits.max-queued-per-user")
        #expect(PolicySet.builtIn.ask(job(), queued: 10_000).refusal?.message.hasSuffix("(built in)") ?? false)
    }

    @Test func admins() throws {
        let set = try policy("[access]\nadmins = [\"bob\", \"@vision\"]")
        func user(_ name: String, uid: UInt32 = 5, _ groups: [String] = []) -> Submitter {
            Submitter(uid: uid, user: name, groups: groups)
        }
        #expect(set.isAdmin(alice))
        #expect(set.isAdmin(user("bob")))
        #expect(set.isAdmin(user("root", uid: 0)))
        #expect(!set.isAdmin(user("vision", ["bob"])))
        #expect(!set.isAdmin(user("@vision")))
        #expect(!PolicySet.builtIn.isAdmin(alice))
    }
}
