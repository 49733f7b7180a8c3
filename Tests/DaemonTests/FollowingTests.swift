import Foundation
import JobAPI
import JobClient
import Testing

/// A job's output is followed across a restart of the daemon.
@Suite(.serialized, .timeLimit(.minutes(2))) struct FollowingTests {
    /// `mlctl` in the background, its output in files.
    private final class Client {
        let process = Process()
        let out: String
        let err: String

        init(_ daemon: RunningDaemon, _ arguments: [String]) throws {
            (out, err) = (daemon.directory + "/client.out", daemon.directory + "/client.err")
            for path in [out, err] { try Data().write(to: URL(fileURLWithPath: path)) }
            process.executableURL = URL(fileURLWithPath: RunningDaemon.programs + "/mlctl")
            process.arguments = arguments
            process.environment = ProcessInfo.processInfo.environment.merging(["MLD_SOCKET": daemon.socket]) { $1 }
            process.currentDirectoryURL = URL(fileURLWithPath: daemon.work)
            process.standardOutput = FileHandle(forWritingAtPath: out)
            process.standardError = FileHandle(forWritingAtPath: err)
            process.standardInput = FileHandle.nullDevice
            try process.run()
        }

        func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

        func until(_ condition: () -> Bool) async throws {
            for _ in 0..<1200 {
                if condition() { return }
                try await Task.sleep(for: .milliseconds(50))
            }
            throw RunningDaemon.Failure("waited in vain; out: \(text(out).suffix(500)); err: \(text(err).suffix(500))")
        }
    }

    @Test(arguments: [false, true])
    func everyByteComesOnceAcrossARestart(isCrash: Bool) async throws {
        try await RunningDaemon.with { daemon in
            // Numbered lines on both streams, before, while and after the daemon is away.
            let script = """
                seq 1 20000; seq 1 300 >&2; touch one; while [ ! -e two ]; do sleep 0.05; done
                seq 20001 40000; seq 301 600 >&2; printf 'half a l'; touch three; while [ ! -e four ]; do sleep 0.05; done
                echo ine; exit 7
                """
            let client = try Client(daemon, ["run", "--", "sh", "-c", script])
            try await client.until { client.text(client.out).hasSuffix("20000\n") }
            if isCrash { await daemon.crash() } else { await daemon.stop() }
            try daemon.touch("two")
            try await client.until { FileManager.default.fileExists(atPath: daemon.work + "/three") }
            try await daemon.start()
            try await client.until { client.text(client.out).hasSuffix("half a l") }
            try daemon.touch("four")
            try await client.until { !client.process.isRunning }
            #expect(client.process.terminationStatus == 7)
            #expect(client.text(client.out) == (1...40_000).map { "\($0)\n" }.joined() + "half a line\n")
            let errors = client.text(client.err).split(separator: "\n")
            #expect(errors.compactMap { Int($0) } == Array(1...600))
            #expect(errors.count { $0.contains("lost the daemon") } == 1)
        }
    }

    @Test func followingGoesOnAfterThePositionThatIsGiven() async throws {
        try await RunningDaemon.with { daemon in
            let id = try await daemon.submit(["sh", "-c", "printf 0123456789; printf abcdef >&2"])
            _ = try await daemon.ended(id)
            func follow(after position: String?) async throws -> (out: String, err: String, last: String?) {
                try await daemon.client { client in
                    try await client.events(of: id, after: position, logs: true) { events in
                        var (out, err, last) = ("", "", String?.none)
                        for try await event in events {
                            if event.stream == "stdout" { out += event.text ?? "" }
                            if event.stream == "stderr" { err += event.text ?? "" }
                            last = event.position ?? last
                        }
                        return (out, err, last)
                    }
                }
            }
            #expect(try await follow(after: nil) == ("0123456789", "abcdef", "10.6"))
            #expect(try await follow(after: "4.5") == ("456789", "f", "10.6"))
            #expect(try await follow(after: "10.6") == ("", "", nil))
            // Beyond the end there is nothing, and nothing comes twice.
            #expect(try await follow(after: "1000.1000") == ("", "", nil))
            await #expect(throws: ClientError.self) { _ = try await follow(after: "4") }
        }
    }

    @Test func whatWasTurnedOverIsReadAndWhatIsGoneIsTold() async throws {
        try await RunningDaemon.with { daemon in
            let id = try await daemon.submit(["true"])
            _ = try await daemon.ended(id)
            // As its supervisor would have left them, after 1000 bytes more.
            let log = daemon.state + "/jobs/\(id)/stdout.log"
            try "older\n".write(toFile: log + ".1", atomically: true, encoding: .utf8)
            try "newer\n".write(toFile: log, atomically: true, encoding: .utf8)
            let attributes = try FileManager.default.attributesOfItem(atPath: log + ".1")
            let inode = try #require(attributes[.systemFileNumber] as? UInt64)
            try "\(inode) 1000\n".write(toFile: log + ".base", atomically: true, encoding: .utf8)
            #expect(try await daemon.logs(id) == "older\nnewer\n")
            #expect(try daemon.mlctl("logs", "\(id)", "--stream", "stdout").out == "older\nnewer\n")
            #expect(try daemon.mlctl("logs", "\(id)", "--tail", "8").out == "r\nnewer\n")
            let events = try await daemon.client { client in
                try await client.events(of: id, after: "10.0", logs: true) { events in
                    var found: [JobEvent] = []
                    for try await event in events where event.type == .log { found.append(event) }
                    return found
                }
            }
            #expect(events.map(\.text) == ["mld: 990 bytes are gone from the log\n", "older\nnewer\n"])
            #expect(events.map(\.missing) == [990, nil])
            #expect(events.map(\.position) == [nil, "1012.0"])
        }
    }
}
