import Foundation
import JobAPI
import JobClient
import Testing
import Units

@testable import Daemon

/// What is known to fail later is refused when it is submitted, with the reason.
@Suite(.timeLimit(.minutes(1))) struct SubmissionCheckTests {
    private func problem(_ argv: [String] = ["true"], change: (inout JobSpec) -> Void = { _ in }) -> String? {
        var spec = JobSpec(command: .init(argv: argv))
        change(&spec)
        do {
            try SubmissionCheck.check(spec, mayRead: nil)
            return nil
        } catch {
            return error.message
        }
    }

    @Test func moreArgumentsThanCanBePassedAreRefused() {
        let most = SubmissionCheck.mostArguments
        #expect(problem(Array(repeating: "a", count: most)) == nil)
        #expect(
            problem(Array(repeating: "a", count: 200_000))
                == "\"command.argv\" has 200000 arguments; at most 8000 can be passed")
        // What is mounted is passed to bubblewrap as well.
        let paths = (0..<100).map { "/data/\($0)" }
        #expect(problem(Array(repeating: "a", count: most)) { $0.sandbox.readOnly = paths }?.contains("6000") == true)
    }

    @Test func morePathsThanCanBeFollowedAreRefused() {
        func paths(_ count: Int, of length: Int = 10) -> [String] {
            (0..<count).map { index in
                let name = "/\(index)"
                return name + String(repeating: "a", count: length - name.utf8.count)
            }
        }
        #expect(problem { $0.sandbox.readOnly = paths(SubmissionCheck.mostPaths) } == nil)
        #expect(
            problem {
                $0.sandbox = .init(workdir: "/w", readOnly: paths(200), readWrite: paths(55))
                $0.sandbox.devices = ["/dev/null"]
            } == "the job names 257 paths for its sandbox and data; at most 256 can be")
        #expect(problem { $0.sandbox.readOnly = paths(128, of: 1024) } == nil)
        #expect(
            problem { $0.sandbox.readOnly = paths(129, of: 1024) }
                == "the paths the job names for its sandbox and data take 132096 bytes; together they may take 131072")
        // What once stopped mld for everybody.
        #expect(problem { $0.sandbox.readOnly = paths(200, of: 3999) }?.contains("799800 bytes") == true)
    }

    @Test func longerOnesThanTheKernelTakesAreRefused() {
        let longest = String(repeating: "a", count: SubmissionCheck.longestArgument)
        #expect(problem(["true", longest]) == nil)
        #expect(
            problem(["true", longest + "a"])
                == "argument 1 of \"command.argv\" is 131072 bytes long; the kernel takes 131071")
        #expect(problem { $0.command?.env = ["A": longest] }?.contains("\"A\" of \"command.env\"") == true)
        #expect(problem { $0.command?.env = ["A": String(longest.dropLast(2))] } == nil)
        let all = Array(repeating: longest, count: 4000)
        #expect(problem(all)?.contains("bytes together; this machine can pass") == true)
    }

    /// Each bound that is passed is said, on both sides.
    @Test func amountsThatAreNoneAreRefused() {
        #expect(
            problem { $0.resources.cpus = .max }
                == "\"resources.cpus\" is 9223372036854775807; it must be from 1 to 100000")
        #expect(problem { $0.resources.cpus = 0 } == "\"resources.cpus\" is 0; it must be from 1 to 100000")
        #expect(problem { $0.resources.gpus = 1025 } == "\"resources.gpus\" is 1025; it must be from 0 to 1024")
        #expect(
            problem { $0.resources.memory = ByteSize(bytes: .max) }
                == "\"resources.memory\" must be less than 1048576 TiB")
        #expect(problem { $0.resources.memory = .zero } == "\"resources.memory\" must be at least 1 MiB")
        let long = "must be less than 1000000000 s (31 years)"
        #expect(problem { $0.resources.timeLimit = 1000 * 31_557_600 } == "\"resources.time\" " + long)
        #expect(problem { $0.resources.timeLimit = 0.5 } == "\"resources.time\" must be at least 1 s")
        #expect(problem { $0.resources.timeLimit = .nan } == "\"resources.time\" must be at least 1 s")
        #expect(problem { $0.schedule.retries = 101 } == "\"schedule.retries\" is 101; it must be from 0 to 100")
        #expect(problem { $0.schedule.retryDelay = .infinity } == "\"schedule.retry-delay\" " + long)
        #expect(problem { $0.schedule.warnBefore = 1e9 } == "\"schedule.warn-before\" " + long)
        #expect(problem { $0.resources.cpus = 100_000 } == nil && problem { $0.resources.timeLimit = 9e8 } == nil)
    }

    @Test(arguments: ["a\0b", "a\nb", "a\u{1B}[2Jb", "a\u{7F}", "a\u{9B}b"]) func namesAreOfPrintableCharacters(
        name: String
    ) {
        let expected = "names must not hold control characters"
        #expect(problem { $0.name = name } == expected)
        #expect(problem { $0.project = name } == expected)
        #expect(problem { $0.queue = name } == expected)
        #expect(problem { $0.name = "größe 大きさ \u{1F680}" } == nil)
    }

    /// Not by a count of ours, but by the whole chain.
    @Test func asManyArgumentsAsAreTakenReachTheCommand() async throws {
        try await RunningDaemon.with { daemon in
            let count = SubmissionCheck.mostArguments
            let words = ["sh", "-c", "echo $#", "sh"] + Array(repeating: "a", count: count - 4)
            let many = try await daemon.submit(words)
            #expect(try await daemon.ended(many).job.state == .succeeded)
            #expect(try await daemon.logs(many) == "\(count - 4)\n")
            let long = String(repeating: "a", count: SubmissionCheck.longestArgument)
            let longest = try await daemon.submit(["sh", "-c", "echo ${#1}", "sh", long])
            #expect(try await daemon.ended(longest).job.state == .succeeded)
            #expect(try await daemon.logs(longest) == "\(long.count)\n")
        }
    }

    /// One that named another would be taken for it.
    @Test func metricsWithANameThatEndsEarlyAreNotKept() throws {
        let directory = "/tmp/mldt-events-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try #"""
        {"event": "metric", "name": "loss", "value": 1}
        {"event": "metric", "name": "loss\u0000x", "value": 2}
        {"event": "metric", "name": "loss", "split": "val\u0000", "value": 3}
        {"event": "artifact", "kind": "model", "path": "/a\u0000b"}

        """#.write(toFile: directory, atomically: true, encoding: .utf8)
        var events = TrainingEvents(path: directory)
        let batch = events.read()
        #expect(batch.metrics.map(\.value) == [1])
        #expect(batch.artifacts == [] && events.rejected == 3)
    }
}
