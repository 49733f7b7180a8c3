import Foundation
import JobAPI
import JobClient
import Testing

/// Jobs and users that mean no good.
@Suite(.serialized) struct HostileJobTests {
    @Test func anEndlessEventFileStopsNobody() async throws {
        try await RunningDaemon.with { daemon in
            let id = try await daemon.submit([
                "python3", "-c", "import os; os.ftruncate(int(os.environ['MLD_EVENTS_FD']), 1 << 42)",
            ])
            #expect(try await daemon.ended(id).job.state == .succeeded)
            #expect(try await daemon.ended(try await daemon.submit(["true"])).job.state == .succeeded)
        }
    }

    @Test func aJobThatReachesTheSocketIsNotItsUser() async throws {
        try await RunningDaemon.with { daemon in
            // The socket lies in the working directory. It is masked, but a new daemon makes a new one.
            let script = """
                import os, socket, time
                open("work/up", "w").close()
                while not os.path.exists("work/go"): time.sleep(0.05)
                s = socket.socket(socket.AF_UNIX)
                s.connect("s")
                s.sendall(b"GET /v1/jobs HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
                print(s.recv(4096).decode().splitlines()[0])
                """
            let id = try await daemon.submit(["python3", "-c", script]) { $0.sandbox.workdir = daemon.directory }
            _ = try await daemon.reaches(id) { $0.state == .running }
            // Running is the supervisor; the sandbox, socket and all, must have been built before the socket goes.
            for _ in 0..<600 where !FileManager.default.fileExists(atPath: daemon.work + "/up") {
                try await Task.sleep(for: .milliseconds(50))
            }
            await daemon.stop()
            try await daemon.start()
            try daemon.touch("go")
            _ = try await daemon.ended(id)
            #expect(try await daemon.logs(id).contains("403 Forbidden"))
        }
    }

    /// Whoever opened the connection is gone when it asks, so that nobody could say what it was.
    @Test func aJobWhoseParentReachedTheSocketIsNotItsUser() async throws {
        try await RunningDaemon.with { daemon in
            let script = """
                import os, socket, time
                open("work/up", "w").close()
                while not os.path.exists("work/go"): time.sleep(0.05)
                first = os.fork()
                if first == 0:
                    s = socket.socket(socket.AF_UNIX)
                    s.connect("s")
                    if os.fork() == 0:
                        while not os.path.exists("work/gone"): time.sleep(0.05)
                        s.sendall(b"GET /v1/jobs HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
                        said = b""
                        while part := s.recv(4096): said += part
                        open("work/said.new", "wb").write(said)
                        os.rename("work/said.new", "work/said")
                    os._exit(0)
                os.waitpid(first, 0)
                open("work/gone", "w").close()
                while not os.path.exists("work/said"): time.sleep(0.05)
                print(open("work/said").read())
                """
            let id = try await daemon.submit(["python3", "-c", script]) { $0.sandbox.workdir = daemon.directory }
            for _ in 0..<600 where !FileManager.default.fileExists(atPath: daemon.work + "/up") {
                try await Task.sleep(for: .milliseconds(50))
            }
            await daemon.stop()
            try await daemon.start()
            try daemon.touch("go")
            _ = try await daemon.ended(id)
            let said = try await daemon.logs(id)
            #expect(said.contains("403 Forbidden"), "\(said)")
            #expect(said.contains("has ended or is not shown by /proc"), "\(said)")
        }
    }

    @Test func aJobWithoutADirectoryWorksInItsOutput() async throws {
        try await RunningDaemon.with { daemon in
            let id = try await daemon.submit(["sh", "-c", "pwd; touch here"]) { $0.sandbox.workdir = nil }
            #expect(try await daemon.ended(id).job.state == .succeeded)
            #expect(FileManager.default.fileExists(atPath: daemon.state + "/jobs/\(id)/output/here"))
        }
    }

    @Test(.enabled("only root can become another user") { geteuid() == 0 })
    func othersSeeThatAJobIsThereAndNoMore() async throws {
        try await RunningDaemon.with(arguments: ["--system"]) { daemon in
            // The socket is for a group; uid 65534 comes with it.
            let attributes = try FileManager.default.attributesOfItem(atPath: daemon.socket)
            let group = try #require(attributes[.groupOwnerAccountID] as? Int)
            #expect(attributes[.posixPermissions] as? Int == 0o660)
            let client = daemon.directory + "/mlctl"
            try FileManager.default.copyItem(atPath: RunningDaemon.programs + "/mlctl", toPath: client)
            func stranger(_ arguments: String...) throws -> (status: Int32, out: String, err: String) {
                try RunningDaemon.run(
                    "/usr/bin/setpriv",
                    ["--reuid=65534", "--regid=\(group)", "--clear-groups", client] + arguments,
                    environment: ["MLD_SOCKET": daemon.socket])
            }
            let id = try await daemon.submit(["sh", "-c", "echo secret; sleep 600"]) {
                $0.name = "private-name"
                $0.command?.env = ["API_KEY": "topsecret"]
            }
            _ = try await daemon.reaches(id) { $0.state == .running }
            for verb in ["show", "why", "logs", "cancel"] {
                let answer = try stranger(verb, "\(id)")
                #expect(answer.status == 1, "\(verb)")
                #expect(answer.err.contains("belongs to"), "\(verb): \(answer.err)")
                #expect(!(answer.out + answer.err).contains("secret"), "\(verb)")
            }
            let list = try stranger("list")
            #expect(list.status == 0)
            #expect(list.out.contains("running"))
            #expect(!list.out.contains("private-name"))
            let report = try stranger("report")
            #expect(!report.out.contains("private-name"))
            // What is on disk is no more open than the API.
            for path in ["ledger.db", "jobs/\(id)/stdout.log", "jobs/\(id)/stderr.log"] {
                let mode = try FileManager.default.attributesOfItem(atPath: daemon.state + "/" + path)[
                    .posixPermissions]
                #expect(mode as? Int == 0o600, "\(path)")
            }
        }
    }
}
