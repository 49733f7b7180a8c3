import Foundation
import JobAPI
import LinuxSystem
import Sandbox
import Testing

/// Jobs that a service starts for the daemon, as they are in an installed system.
@Suite(.serialized) struct SpawnServiceTests {
    private func withService(_ body: (JobsService, String) async throws -> Void) async throws {
        let directory = "/tmp/mldt-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let service = try JobsService(in: directory)
        defer { service.stop() }
        try await body(service, directory)
    }

    private func parent(of pid: Int32) -> Int32? { ProcessTable().status(of: pid)?.parent }

    @Test func aJobIsItsChildAndEndsAsAnyOther() async throws {
        try await withService { service, _ in
            try await RunningDaemon.with(arguments: ["--spawner", service.path]) { daemon in
                let id = try await daemon.submit([
                    "sh", "-c", "until [ -e go ]; do sleep 0.05; done; echo over; exit 7",
                ])
                let running = try await daemon.reaches(id) { $0.state == .running }
                let supervisor = try #require(try await supervisor(of: id, daemon))
                #expect(parent(of: supervisor) == service.process.processIdentifier)
                #expect(!running.enforced.isEmpty)
                try daemon.touch("go")
                let ended = try await daemon.ended(id)
                #expect(ended.job.state == .failed && ended.job.exitStatus == 7)
                #expect(try await daemon.logs(id) == "over\n")
                // Paths are followed with the job's own eyes, and what is wrong with them is said when it is submitted.
                await #expect(throws: (any Error).self) {
                    try await daemon.submit(["true"]) { $0.sandbox.readOnly = ["/no/such/place"] }
                }
            }
        }
    }

    @Test func jobsOutliveItAndItsSuccessorStartsTheNext() async throws {
        try await withService { service, _ in
            try await RunningDaemon.with(arguments: ["--spawner", service.path]) { daemon in
                let first = try await daemon.submit(["sh", "-c", "until [ -e go ]; do sleep 0.05; done; echo over"])
                _ = try await daemon.reaches(first) { $0.state == .running }
                service.stop()
                // It waits in the socket, and no job fails for want of the service.
                async let second = daemon.submit(["echo", "second"])
                try await Task.sleep(for: .milliseconds(300))
                try service.start()
                #expect(try await daemon.ended(try await second).job.state == .succeeded)
                try daemon.touch("go")
                let ended = try await daemon.ended(first)
                #expect(ended.job.state == .succeeded && ended.job.attempt == 1)
            }
        }
    }

    @Test func aRestartedDaemonAdoptsWhatItStarted() async throws {
        try await withService { service, _ in
            try await RunningDaemon.with(arguments: ["--spawner", service.path]) { daemon in
                let id = try await daemon.submit([
                    "sh", "-c", "echo ran >> count; until [ -e go ]; do sleep 0.05; done",
                ])
                _ = try await daemon.reaches(id) { $0.state == .running }
                await daemon.crash()
                try await daemon.start()
                try daemon.touch("go")
                let ended = try await daemon.ended(id)
                #expect(ended.job.state == .succeeded && ended.job.attempt == 1)
                #expect(try String(contentsOfFile: daemon.work + "/count", encoding: .utf8) == "ran\n")
            }
        }
    }

    @Test func nothingElseIsStarted() async throws {
        try await withService { service, directory in
            let spawner = Spawner.service(service.path)
            let output = try spawner.run(RunningDaemon.programs + "/mld-exec", arguments: ["--help"])
            #expect(output.status == 0 && output.text.hasPrefix("usage: mld-exec"))
            #expect(try spawner.run(RunningDaemon.programs + "/mld-exec", arguments: ["nonsense"]).status == 2 << 8)
            for program in ["/bin/true", "/bin/sh", "mld-exec", RunningDaemon.programs + "/mld"] {
                do throws(LinuxError) {
                    _ = try spawner.run(program, arguments: [])
                    Issue.record("\(program) was started")
                } catch {
                    #expect(error.code == EACCES, "\(error)")
                }
            }
            do throws(LinuxError) {
                _ = try Spawner.service(directory + "/none").run("/bin/true", arguments: [])
                Issue.record("there is no service")
            } catch {
                #expect(error.isTransient && error.description.contains("No such file"), "\(error)")
            }
        }
    }

    /// Whatever comes over its socket: it answers no, or nothing, and goes on.
    @Test func hostilePacketsAreRefused() async throws {
        try await withService { service, _ in
            var bytes = [UInt8](repeating: 0, count: 64)
            for length in [0, 1, 7, 16, 64] {
                for index in bytes.indices { bytes[index] = UInt8.random(in: 0...255) }
                let connection = try connect(service.path)
                send(connection, bytes, length, 0)
                close(connection)
            }
            let output = try Spawner.service(service.path)
                .run(RunningDaemon.programs + "/mld-exec", arguments: ["--help"])
            #expect(output.status == 0 && service.process.isRunning)
        }
    }

    @Test func aDaemonWhoseServiceIsNotThereDoesNotStart() async throws {
        let directory = "/tmp/mldt-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let result = try RunningDaemon.run(
            "mld",
            [
                "--state", directory, "--socket", directory + "/s", "--spawner", directory + "/none", "--policy",
                directory,
            ])
        #expect(result.status == 1)
        #expect(result.err.contains("mld-spawn.service") && result.err.contains(directory + "/none"), "\(result.err)")
    }

    private func connect(_ path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(isConnected == 0)
        return descriptor
    }

    private func supervisor(of id: JobID, _ daemon: RunningDaemon) async throws -> Int32? {
        try ProcessTable().pids().first { pid in
            let words = (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)) ?? ""
            return words.contains("supervise") && words.contains(daemon.state + "/jobs/\(id)/")
        }
    }
}
