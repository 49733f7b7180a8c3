import Foundation
import JobAPI
import LinuxSystem
import Testing

/// The control group of all jobs, held by a process of its own as `mld-jobs.service` does.
@Suite(.serialized) struct CgroupHolderTests {
    /// Where cgroups can be made by whoever tests; nil where they cannot.
    private static let mount: String? = {
        guard let tree = CgroupTree.find() else { return nil }
        let path = tree.mount + "/mldt-probe-\(getpid())"
        guard mkdir(path, 0o755) == 0 else { return nil }
        rmdir(path)
        return tree.mount
    }()

    /// Starts `mld-exec hold` in a new cgroup of that name, and waits until it says where it is.
    private func hold(_ name: String, _ file: String, _ mount: String) async throws -> Process {
        mkdir("\(mount)/\(name)", 0o755)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c", #"echo $$ > "$0/cgroup.procs"; exec "$1" hold "$2""#, "\(mount)/\(name)",
            RunningDaemon.programs + "/mld-exec", file,
        ]
        process.standardInput = FileHandle.nullDevice
        try process.run()
        for _ in 0..<200 where !FileManager.default.fileExists(atPath: file) {
            try await Task.sleep(for: .milliseconds(20))
        }
        return process
    }

    private func end(_ process: Process, _ name: String, _ file: String, _ mount: String) async throws {
        process.terminate()
        for _ in 0..<100 where process.isRunning { try await Task.sleep(for: .milliseconds(20)) }
        #expect(!process.isRunning)
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(atPath: file)
        for _ in 0..<100 {
            for place in ["daemon", "jobs", ""] { rmdir("\(mount)/\(name)/\(place)") }
            if !FileManager.default.fileExists(atPath: "\(mount)/\(name)") { return }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    @Test(.enabled(if: mount != nil, "no cgroups can be made here"))
    func jobsLiveBesideItAndItMayBeStartedAnew() async throws {
        let mount = try #require(Self.mount)
        let name = "mldt-\(UUID().uuidString.prefix(8))"
        let file = "/tmp/\(name).cgroup"
        var holder = try await hold(name, file, mount)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "/\(name)\n")
        #expect(ProcessTable().cgroupPath(of: holder.processIdentifier) == "/\(name)/daemon")
        do {
            try await RunningDaemon.with(arguments: ["--jobs-cgroup", file]) { daemon in
                let first = try await daemon.submit(["sh", "-c", "until [ -e go ]; do sleep 0.05; done"])
                _ = try await daemon.reaches(first) { $0.state == .running }
                let running = try FileManager.default.contentsOfDirectory(atPath: "\(mount)/\(name)/jobs")
                #expect(running.contains { $0.hasSuffix("-\(first)-1") }, "\(running)")
                try daemon.touch("go")
                #expect(try await daemon.ended(first).job.state == .succeeded)
                // The job's own cgroup is gone a moment after its end; then an admin restarts what holds the rest.
                try await end(holder, name, file, mount)
                #expect(!FileManager.default.fileExists(atPath: "\(mount)/\(name)"))
                holder = try await hold(name, file, mount)
                let second = try await daemon.submit(["true"])
                #expect(try await daemon.ended(second).job.state == .succeeded)
            }
        } catch {
            try await end(holder, name, file, mount)
            throw error
        }
        try await end(holder, name, file, mount)
    }

    @Test func aDaemonThatIsNotToldWhereDoesNotStart() throws {
        let directory = "/tmp/mldt-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        guard CgroupTree.find() != nil else { return }
        try FileManager.default.createDirectory(
            atPath: directory + "/policies", withIntermediateDirectories: true)
        for (content, words) in [(String?.none, "No such file"), ("/a/../b", "names no control group"), ("", "")] {
            let file = directory + "/place"
            try? FileManager.default.removeItem(atPath: file)
            if let content { try content.write(toFile: file, atomically: true, encoding: .utf8) }
            let result = try RunningDaemon.run(
                "mld",
                [
                    "--state", directory + "/state", "--socket", directory + "/s", "--policy", directory + "/policies",
                    "--jobs-cgroup", file,
                ])
            #expect(result.status == 1 && result.err.contains("mld-jobs.service writes it"), "\(result.err)")
            #expect(words.isEmpty || result.err.contains(words), "\(result.err)")
        }
    }
}
