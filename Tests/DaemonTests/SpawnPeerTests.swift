import Foundation
import JobAPI
import JobClient
import LinuxSystem
import Testing

/// Who reaches for the service that starts jobs, and is not the daemon: jobs of its own user, which for root's would be the way out of
/// their sandbox.
@Suite(.serialized, .timeLimit(.minutes(2))) struct SpawnPeerTests {
    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        let directory = "/tmp/mldt-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await body(directory)
    }

    private static let prelude = """
        import os, socket, sys, time
        def connect(path):
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            s.connect(path)
            return s
        def ask(s):
            try:
                s.send(b"x")
                return "answered" if s.recv(100) else "refused"
            except OSError:
                return "refused"

        """

    @Test func jobsDoNotSeeItsSocket() async throws {
        try await withDirectory { directory in
            let service = try JobsService(in: directory)
            defer { service.stop() }
            try await RunningDaemon.with(arguments: ["--spawner", service.path]) { daemon in
                let script = "[ -e jobs.log ] && echo there; [ -S jobs.sock ] && echo seen || echo hidden"
                let id = try await daemon.submit(["sh", "-c", script]) { $0.sandbox.workdir = directory }
                let ended = try await daemon.ended(id)
                let isolates = ended.enforced.contains { $0.contains("namespace") || $0.contains("bubblewrap") }
                #expect(try await daemon.logs(id) == (isolates ? "there\nhidden\n" : "there\nseen\n"))
                let error = await #expect(throws: ClientError.self) {
                    try await daemon.submit(["true"]) { $0.sandbox.readOnly = [service.path] }
                }
                #expect(error?.description.contains("which belongs to mld") == true, "\(String(describing: error))")
            }
        }
    }

    /// A daemon that knows nothing of the service, and so hides nothing of it.
    @Test func aJobThatReachesItStartsNothing() async throws {
        try await withDirectory { directory in
            let service = try JobsService(in: directory)
            defer { service.stop() }
            try await RunningDaemon.with { daemon in
                func run(_ script: String) async throws -> JobID {
                    try await daemon.submit(["python3", "-c", Self.prelude + script]) { $0.sandbox.workdir = directory }
                }
                let plain = try await run("print(ask(connect('jobs.sock')))")
                _ = try await daemon.ended(plain)
                #expect(try await daemon.logs(plain) == "refused\n")
                #expect(try String(contentsOfFile: service.log, encoding: .utf8).contains("as jobs are, wanted"))
                // Whoever connected is gone by the time the service looks.
                kill(service.process.processIdentifier, SIGSTOP)
                defer { kill(service.process.processIdentifier, SIGCONT) }
                let forked = try await run(
                    """
                    first = os.fork()
                    if first == 0:
                        s = connect("jobs.sock")
                        if os.fork() == 0:
                            while not os.path.exists("gone"): time.sleep(0.05)
                            said = ask(s)
                            open("said.new", "w").write(said)
                            os.rename("said.new", "said")
                        os._exit(0)
                    os.waitpid(first, 0)
                    open("gone", "w").close()
                    while not os.path.exists("said"): time.sleep(0.05)
                    print(open("said").read())
                    """)
                for _ in 0..<600 where !FileManager.default.fileExists(atPath: directory + "/gone") {
                    try await Task.sleep(for: .milliseconds(50))
                }
                kill(service.process.processIdentifier, SIGCONT)
                _ = try await daemon.ended(forked)
                #expect(try await daemon.logs(forked) == "refused\n")
                #expect(
                    try String(contentsOfFile: service.log, encoding: .utf8).contains("cannot be looked at, wanted"))
            }
        }
    }

    /// A job without namespaces of its own, as it is where these cannot be made.
    @Test(.enabled(if: CgroupTree.find() != nil && geteuid() == 0, "only root can make a cgroup for a job here"))
    func aProcessInAJobsCgroupStartsNothing() async throws {
        try await withDirectory { directory in
            let mount = try #require(CgroupTree.find()).mount
            let name = "mldt-\(UUID().uuidString.prefix(8))"
            let places = ["", "/jobs", "/jobs/1"].map { mount + "/" + name + $0 }
            for place in places { try #require(mkdir(place, 0o755) == 0) }
            defer { for place in places.reversed() { rmdir(place) } }
            try "/\(name)\n".write(toFile: directory + "/place", atomically: true, encoding: .utf8)
            let service = try JobsService(in: directory, arguments: ["--jobs-cgroup", directory + "/place"])
            defer { service.stop() }
            let script = Self.prelude + "print(ask(connect(sys.argv[1])))"
            let inside = try RunningDaemon.run(
                "/bin/sh",
                [
                    "-c", #"echo $$ >"$0/cgroup.procs"; exec python3 -c "$1" "$2""#, places[2], script, service.path,
                ])
            #expect(inside.out == "refused\n", "\(inside.err)")
            #expect(try String(contentsOfFile: service.log, encoding: .utf8).contains("in a job's cgroup, wanted"))
            let outside = try RunningDaemon.run("/usr/bin/python3", ["-c", script, service.path])
            #expect(outside.out == "answered\n", "\(outside.err)")
        }
    }
}
