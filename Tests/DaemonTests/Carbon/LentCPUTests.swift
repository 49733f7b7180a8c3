import Foundation
import JobAPI
import JobClient
import Testing
import Units

/// The CPUs of jobs that the plan lets stand still are others' meanwhile, and nobody's twice.
@Suite struct LentCPUTests {
    /// Dirty for two minutes from the border on, clean before and after.
    private static func prepare(_ border: Timestamp) -> (String) throws -> Void {
        { directory in
            let lines = (-60...30).map { offset in
                "\(border.advanced(by: .seconds(offset * 60))),\((0...1).contains(offset) ? 900 : 0)"
            }
            try (["time,intensity"] + lines).joined(separator: "\n").appending("\n").write(
                toFile: directory + "/grid.csv", atomically: true, encoding: .utf8)
            try FileManager.default.createDirectory(atPath: directory + "/policies", withIntermediateDirectories: true)
            try """
            [site]
            zone = "DE"
            [carbon]
            source = { file = "\(directory)/grid.csv" }
            [machine]
            reserve-cpus = 0
            [queue.now]
            [queue.batch]
            default = true
            """.write(toFile: directory + "/policies/10.toml", atomically: true, encoding: .utf8)
        }
    }

    /// The CPUs of `job 1 on 0-1, job 3 on 4`, as often as they are named.
    private func cpus(_ used: String) -> [Int] {
        used.split(separator: "job").flatMap { part -> [Int] in
            guard let list = part.split(separator: " ").last?.trimmingCharacters(in: CharacterSet(charactersIn: ", "))
            else { return [] }
            return list.split(separator: ",").flatMap { range -> [Int] in
                let ends = range.split(separator: "-").compactMap { Int($0) }
                return ends.count == 2 ? Array(ends[0]...ends[1]) : ends
            }
        }
    }

    @Test func twoThatGoOnAtOnceDoNotGetTheSameCPU() async throws {
        let next = (Timestamp.now().microseconds + 40_000_000) / 60_000_000 + 1
        let border = Timestamp(microseconds: next * 60_000_000)
        try await RunningDaemon.with(prepare: Self.prepare(border)) { daemon in
            func wait(_ name: String) -> [String] { ["sh", "-c", "while [ ! -e \(name) ]; do sleep 0.1; done"] }
            var lent: [JobID] = []
            for _ in 0..<2 {
                lent.append(
                    try await daemon.submit(wait("go")) {
                        $0.resources.timeLimit = 240
                        $0.schedule.interruptible = true
                        $0.schedule.deadline = border.advanced(by: .seconds(900))
                    })
            }
            let cpuCount = try await daemon.client { try await $0.devices() }.devices.filter {
                $0.name.hasPrefix("CPUs ")
            }
            .reduce(
                0
            ) { sum, device in
                sum + cpus("job 0 " + device.name.replacingOccurrences(of: "CPUs ", with: "")).count
            }
            try #require(cpuCount >= 2, "a machine of one CPU cannot run both")
            for id in lent { _ = try await daemon.reaches(id) { $0.state == .running } }
            for id in lent {
                for _ in 0..<1200 {
                    if try await daemon.client({ try await $0.job(id) }).job.state == .suspended { break }
                    try await Task.sleep(for: .milliseconds(100))
                }
                #expect(try await daemon.client { try await $0.job(id) }.job.state == .suspended)
            }
            // All CPUs but one, and ends before they go on.
            let other = try await daemon.submit(wait("end")) {
                $0.queue = "now"
                $0.resources.cpus = cpuCount - 1
                $0.resources.timeLimit = 60
            }
            _ = try await daemon.reaches(other) { $0.state == .running }

            @Sendable func resume(_ id: JobID) async throws -> Bool {
                do {
                    return try await daemon.client { try await $0.act(.resume, on: id) }.state == .running
                } catch  where "\(error)".contains("others have them now") {
                    return false
                }
            }
            let (first, second) = (lent[0], lent[1])
            async let one = resume(first)
            async let two = resume(second)
            let went = try await [one, two]
            #expect(went.filter { $0 }.count == 1, "\(went)")
            let held = try await daemon.client { try await $0.devices() }.devices.filter { $0.name.hasPrefix("CPUs ") }
                .flatMap {
                    // A job that stands still is named with the CPUs it lent.
                    cpus($0.used)
                }
            let waiting = went[0] ? second : first
            #expect(try await daemon.client { try await $0.job(waiting) }.job.state == .suspended)
            // Of those that run none has another's: the one that stands still is the only one to share.
            #expect(held.count - Set(held).count <= 1, "\(held)")

            try daemon.touch("end")
            #expect(try await daemon.ended(other).job.state == .succeeded)
            #expect(try await resume(waiting))
            let now = try await daemon.client { try await $0.devices() }.devices.filter { $0.name.hasPrefix("CPUs ") }
                .flatMap {
                    cpus($0.used)
                }
            #expect(now.count == 2 && Set(now).count == 2, "\(now)")
            try daemon.touch("go")
            for id in lent { #expect(try await daemon.ended(id).job.state == .succeeded) }
        }
    }
}
