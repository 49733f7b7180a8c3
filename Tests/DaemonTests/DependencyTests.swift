import Foundation
import JobAPI
import JobClient
import Testing
import Units

/// Jobs that wait for others, and arrays.
@Suite(.serialized) struct DependencyTests {
    private let waits = ["sh", "-c", "while [ ! -e go ]; do sleep 0.05; done"]

    @Test func aJobWaitsForAnotherToSucceedAndIsCancelledIfItCannot() async throws {
        try await RunningDaemon.with { daemon in
            let first = try await daemon.submit(waits)
            let second = try await daemon.submit(["true"]) { $0.schedule.after = [Dependency(JobReference(first))] }
            let third = try await daemon.submit(["true"]) {
                $0.schedule.after = [Dependency(JobReference(first), .failed)]
            }
            let fourth = try await daemon.submit(["true"]) {
                $0.schedule.after = [Dependency(JobReference(third), .ended)]
            }
            let why = try await daemon.client { try await $0.why(second) }
            #expect(why.reason == "waits for job \(first) to succeed")
            // Who waits is known again after a restart.
            await daemon.crash()
            try await daemon.start()
            #expect(try await daemon.client { try await $0.job(second) }.job.state == .queued)
            try daemon.touch("go")
            #expect(try await daemon.ended(second).job.state == .succeeded)
            let cancelled = try await daemon.ended(third).job
            #expect(cancelled.state == .cancelled)
            #expect(
                cancelled.reason
                    == "cancelled, for it would wait for ever: job \(first) is succeeded, and was to fail")
            #expect(try await daemon.ended(fourth).job.state == .succeeded)
        }
    }

    @Test func whatCanNeverBeIsRefusedAtOnce() async throws {
        try await RunningDaemon.with { daemon in
            let done = try await daemon.submit(["true"])
            _ = try await daemon.ended(done)
            // What is met already keeps nobody waiting.
            let next = try await daemon.submit(["true"]) { $0.schedule.after = [Dependency(JobReference(done))] }
            #expect(try await daemon.ended(next).job.state == .succeeded)
            for (job, words) in [
                (Dependency(JobReference(done), .failed), "it would wait for ever"),
                (Dependency(JobReference(JobID(999))), "job 999, which does not exist"),
            ] {
                let error = await #expect(throws: ClientError.self) {
                    try await daemon.submit(["true"]) { $0.schedule.after = [job] }
                }
                #expect("\(try #require(error))".contains(words))
            }
        }
    }

    @Test func anArrayRunsItsElementsWithTheirIndexAndNeverMoreThanItsLimit() async throws {
        try await RunningDaemon.with { daemon in
            // Each notes who is there while it runs: with a limit of 1 never another.
            let script = """
                touch in-$MLD_ARRAY_INDEX; ls in-* >> seen; sleep 0.1; rm in-$MLD_ARRAY_INDEX; echo $MLD_ARRAY_ID
                """
            var spec = JobSpec(
                resources: .init(cpus: 1, memory: .mebibytes(64)), sandbox: .init(workdir: daemon.work),
                array: try JobArray("1-3,7%1"), command: .init(argv: ["sh", "-c", script]))
            spec.name = "sweep"
            let array = try await daemon.client { [spec] in try await $0.submit(spec) }
            #expect(array.elements == 4)
            let last = JobReference(array: array.id, index: 7)
            let after = try await daemon.submit(["true"]) { $0.schedule.after = [Dependency(JobReference(array.id))] }
            #expect(try await daemon.ended(after).job.state == .succeeded)
            let detail = try await daemon.client { try await $0.job(last) }
            #expect(detail.job.state == .succeeded && detail.job.array == ArrayPlace(id: array.id, index: 7))
            #expect(try await daemon.logs(detail.job.id) == "\(array.id)\n")
            let seen = try String(contentsOfFile: daemon.work + "/seen", encoding: .utf8).split(separator: "\n")
            #expect(seen.sorted() == ["in-1", "in-2", "in-3", "in-7"])
            let report = try await daemon.client { try await $0.array(array.id) }
            #expect(report.states == ["succeeded": 4] && report.jobs.map(\.array?.index) == [1, 2, 3, 7])
            let shown = try daemon.mlctl("show", "\(array.id)")
            #expect(shown.status == 0 && shown.out.contains("4 succeeded") && shown.out.contains("\(array.id).7"))
        }
    }

    /// Each of an array's elements, and the array as a whole, is waited for by itself.
    @Test func elementsOfOneArrayAreToldApart() async throws {
        try await RunningDaemon.with { daemon in
            let spec = JobSpec(
                resources: .init(cpus: 1, memory: .mebibytes(64)), sandbox: .init(workdir: daemon.work),
                array: try JobArray("1-3%1"), command: .init(argv: waits))
            let array = try await daemon.client { try await $0.submit(spec) }
            let both = try await daemon.submit(["true"]) {
                $0.schedule.after = [1, 2].map { Dependency(JobReference(array: array.id, index: $0), .ended) }
            }
            let mixed = try await daemon.submit(["true"]) {
                $0.schedule.after = [
                    Dependency(JobReference(array: array.id, index: 1), .ended),
                    Dependency(JobReference(array.id), .succeeded),
                ]
            }
            try daemon.touch("go")
            #expect(try await daemon.ended(both).job.state == .succeeded)
            #expect(try await daemon.ended(mixed).job.state == .succeeded)
        }
    }

    @Test func whoWaitsForAnArrayThatIsCancelledForAnothersFailureIsTold() async throws {
        try await RunningDaemon.with { daemon in
            let first = try await daemon.submit(["sh", "-c", "while [ ! -e go ]; do sleep 0.05; done; exit 1"])
            let spec = JobSpec(
                resources: .init(cpus: 1, memory: .mebibytes(64)),
                schedule: .init(after: [Dependency(JobReference(first))]), sandbox: .init(workdir: daemon.work),
                array: try JobArray("1-3"), command: .init(argv: ["true"]))
            let array = try await daemon.client { try await $0.submit(spec) }
            let last = try await daemon.submit(["true"]) {
                $0.schedule.after = [Dependency(JobReference(array.id), .ended)]
            }
            try daemon.touch("go")
            #expect(try await daemon.ended(last).job.state == .succeeded)
            let report = try await daemon.client { try await $0.array(array.id) }
            #expect(report.states == ["cancelled": 3])
        }
    }

    @Test func noElementStartsWhileItsArrayIsCancelled() async throws {
        try await RunningDaemon.with { daemon in
            let spec = JobSpec(
                resources: .init(cpus: 1, memory: .mebibytes(64)), sandbox: .init(workdir: daemon.work),
                array: try JobArray("0-199%1"), command: .init(argv: ["sh", "-c", "echo x >> started; sleep 600"]))
            let array = try await daemon.client { try await $0.submit(spec) }
            _ = try await daemon.reaches(JobID(array.id.number + 1)) { $0.state == .running }
            let cancelled = try await daemon.client { try await $0.act(.cancel, onArray: array.id) }
            #expect(cancelled.changed == 200)
            _ = try await daemon.ended(JobID(array.id.number + 1))
            let report = try await daemon.client { try await $0.array(array.id) }
            #expect(report.states == ["cancelled": 200])
            // The first alone ever ran, if it came so far.
            let started = (try? String(contentsOfFile: daemon.work + "/started", encoding: .utf8)) ?? ""
            #expect(started == "x\n" || started.isEmpty)
        }
    }

    @Test func anElementThatIsSubmittedAnewDoesItsOwnPart() async throws {
        try await RunningDaemon.with { daemon in
            let spec = JobSpec(
                resources: .init(cpus: 1, memory: .mebibytes(64)), sandbox: .init(workdir: daemon.work),
                array: try JobArray("4,7"), command: .init(argv: ["sh", "-c", "echo $MLD_ARRAY_INDEX"]))
            let array = try await daemon.client { try await $0.submit(spec) }
            #expect(try daemon.mlctl("wait", "\(array.id)").status == 0)
            let requeued = try daemon.mlctl("requeue", "\(array.id).7")
            #expect(requeued.out.contains("(a copy of job \(array.id).7, which had ended)"))
            let copy = JobReference(array: JobID(array.id.number + 3), index: 7)
            let id = try await daemon.client { try await $0.job(copy) }.job.id
            #expect(try await daemon.ended(id).job.state == .succeeded)
            #expect(try await daemon.logs(id) == "7\n")
        }
    }

    @Test func anArrayWhoseDescriptionsWouldFillTheDiskIsRefused() async throws {
        try await RunningDaemon.with { daemon in
            let spec = JobSpec(
                resources: .init(cpus: 1, memory: .mebibytes(64)), sandbox: .init(workdir: daemon.work),
                array: try JobArray("1-1000"), command: .init(argv: ["true", String(repeating: "x", count: 20_000)]))
            let error = await #expect(throws: ClientError.self) {
                try await daemon.client { try await $0.submit(spec) }
            }
            #expect("\(try #require(error))".contains("are more than 16 MiB"))
        }
    }

    @Test func aWholeArrayIsHeldAndCancelledByItsNumber() async throws {
        try await RunningDaemon.with { daemon in
            let spec = JobSpec(
                resources: .init(cpus: 1, memory: .mebibytes(64)), sandbox: .init(workdir: daemon.work),
                array: try JobArray("0-40%1"), command: .init(argv: waits))
            let array = try await daemon.client { try await $0.submit(spec) }
            let dependent = try await daemon.submit(["true"]) {
                $0.schedule.after = [Dependency(JobReference(array.id))]
            }
            _ = try await daemon.reaches(JobID(array.id.number + 1)) { $0.state == .running }
            let held = try daemon.mlctl("hold", "\(array.id)")
            #expect(held.out == "array \(array.id): hold done to 40; now 40 queued, 1 running\n")
            let element = try daemon.mlctl("why", "\(array.id).5")
            #expect(element.out.contains("held by"))
            let cancelled = try daemon.mlctl("cancel", "\(array.id)")
            #expect(cancelled.status == 0 && cancelled.out.hasPrefix("array \(array.id): cancel done to 41"))
            #expect(try await daemon.ended(JobID(array.id.number + 1)).job.state == .cancelled)
            #expect(try await daemon.ended(dependent).job.state == .cancelled)
            #expect(try daemon.mlctl("wait", "\(array.id)").status != 0)
        }
    }
}
