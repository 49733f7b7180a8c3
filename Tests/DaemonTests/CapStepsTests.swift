import Foundation
import JobAPI
import Ledger
import LinuxSystem
import Policy
import Sandbox
import Scheduling
import Testing
import Units

@testable import Daemon

/// What is done to jobs that draw beyond the cap where no hardware can be limited, by readings that a test makes up.
@Suite struct CapStepsTests {
    /// A job of four CPUs with a quota of its own, and a cap of 50 W.
    private func with(_ body: (DaemonParts, JobID, String) async throws -> Void) async throws {
        try await DaemonParts.with { parts in
            let cgroup = parts.directory + "/cgroup/job"
            try FileManager.default.createDirectory(atPath: cgroup, withIntermediateDirectories: true)
            let quota = cgroup + "/cpu.max"
            try "400000 100000\n".write(toFile: quota, atomically: false, encoding: .utf8)
            let policy = try PolicySet.load(
                files: [("p.toml", "[machine]\npower-cap = \"50 W\"\nidle-power = \"1 W\"\n")])
            let stored = try await parts.startedJob { $0.spec.resources.cpus = 4 }
            await parts.jobs.run(stored, in: cgroup, under: policy)
            try await body(parts, stored.record.id, quota)
        }
    }

    private func read(_ quota: String) throws -> String {
        try String(contentsOfFile: quota, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test func aQuotaIsHalvedAndGivenBackStepByStep() async throws {
        try await with { (parts, id, quota) async throws in
            var second: Int64 = 1000
            func draws(_ watts: Double, for seconds: Int64) async {
                for _ in 0..<seconds {
                    second += 1
                    await parts.jobs.keepCap(Power(watts: watts), at: Uptime(nanoseconds: second * 1_000_000_000))
                }
            }
            await draws(60, for: 10)
            #expect(try read(quota) == "400000 100000", "a peak is nothing to act on")
            await draws(60, for: 1)
            #expect(try read(quota) == "200000 100000")
            await draws(60, for: 10)
            #expect(try read(quota) == "100000 100000")
            // It may not be suspended: nothing is left to do.
            await draws(60, for: 30)
            #expect(try read(quota) == "100000 100000")
            #expect(await parts.jobs.cpusByCap == [id: 1])
            // Below nine tenths of the cap for a minute each step is undone, the last one first.
            await draws(40, for: 60)
            #expect(try read(quota) == "100000 100000")
            await draws(40, for: 1)
            #expect(try read(quota) == "200000 100000")
            await draws(47, for: 100)
            #expect(try read(quota) == "200000 100000", "neither too much nor little enough")
            await draws(40, for: 61)
            #expect(try read(quota) == "400000 100000")
            #expect(await parts.jobs.cpusByCap.isEmpty)
        }
    }

    /// A rule that leaves the job less goes on holding it.
    @Test func aRuleHoldsWhatTheCapLetsGo() async throws {
        try await with { parts, id, quota in
            let rule = "[[rule]]\nname = \"few\"\nmatch = { kind = \"command\" }\nthen = \"cap\"\ncpus = 3\n"
            let policy = try PolicySet.load(files: [("p.toml", "[machine]\npower-cap = \"50 W\"\n\(rule)")])
            await parts.jobs.adopt(policy)
            await parts.jobs.keepCaps()
            #expect(try read(quota) == "300000 100000")
            for second in 1...11 {
                await parts.jobs.keepCap(
                    Power(watts: 60), at: Uptime(nanoseconds: Int64(second) * 1_000_000_000))
            }
            #expect(try read(quota) == "100000 100000", "half of three")
            await parts.jobs.letGoOfCap()
            #expect(try read(quota) == "300000 100000")
            await parts.jobs.adopt(try PolicySet.load(files: []))
            await parts.jobs.keepCaps()
            #expect(try read(quota) == "400000 100000")
        }
    }
}

extension JobController {
    /// As if the job ran with so many CPUs, in a directory that stands for its cgroup.
    fileprivate func run(_ stored: StoredJob, in cgroup: String, under policy: PolicySet) {
        put(stored)
        live[stored.record.id]?.process = Started(supervisorPID: 0, startTime: 0, cgroupPath: cgroup)
        adopt(policy)
        allot(
            ActiveJob(
                id: stored.record.id, uid: stored.record.uid, project: stored.record.project,
                queue: stored.record.queue,
                request: ResourceVector(
                    cpus: stored.spec.resources.cpus, memory: stored.spec.resources.memory), startedAt: .now()), nil)
    }

    fileprivate func adopt(_ new: PolicySet) {
        policy = new
        scheduler.adopt(policy: new, machine: machine)
        // Rules are asked when a plan is made.
        _ = scheduler.plan(now: .now())
    }
}
