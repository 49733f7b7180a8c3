import Foundation
import JobAPI
import JobClient
import Testing
import Units

/// The built `mld`, run as a user would, with a socket and a state directory of its own.
///
/// `with` stops it and removes everything afterwards, whatever the test did.
final class RunningDaemon: @unchecked Sendable {  // Process is not Sendable; only the test's own task touches it.
    let directory: String
    let work: String
    let extraArguments: [String]
    let environment: [String: String]
    /// What runs `mld`: a program and its arguments before the daemon's; none where it runs itself.
    let wrapper: [String]
    /// The listening socket where it is not mld's own, as systemd holds it.
    private let heldSocket: HeldSocket?
    private(set) var process: Process

    var socket: String { directory + "/s" }
    var state: String { directory + "/state" }
    var log: String { (try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? "" }

    /// Where the built programs are: beside the test bundle.
    static let programs: String = {
        let executable = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return (executable as NSString).deletingLastPathComponent
    }()

    private init(
        arguments: [String], environment: [String: String], wrapper: [String], holdsSocket: Bool,
        prepare: (String) throws -> Void
    ) throws {
        // Short: the path of a Unix socket has at most 107 bytes.
        directory = "/tmp/mldt-\(UUID().uuidString.prefix(8))"
        work = directory + "/work"
        extraArguments = arguments
        self.environment = environment
        self.wrapper = wrapper
        for path in [work, directory + "/policies"] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        try prepare(directory)
        heldSocket = holdsSocket ? try HeldSocket(directory + "/s") : nil
        process = Process()
    }

    static func with(
        arguments: [String] = [], environment: [String: String] = [:], wrapper: [String] = [],
        holdsSocket: Bool = false, prepare: (String) throws -> Void = { _ in },
        _ body: (RunningDaemon) async throws -> Void
    ) async throws {
        let daemon = try RunningDaemon(
            arguments: arguments, environment: environment, wrapper: wrapper, holdsSocket: holdsSocket,
            prepare: prepare)
        do {
            try await daemon.start()
            try await body(daemon)
        } catch {
            await daemon.cleanUp()
            throw error
        }
        await daemon.cleanUp()
    }

    /// One with this policy file.
    static func with(policy: String, _ body: (RunningDaemon) async throws -> Void) async throws {
        try await with(prepare: { try write(policy: policy, in: $0) }, body)
    }

    /// Writes the policy file anew; mld does not know of it yet.
    func write(policy: String) throws { try Self.write(policy: policy, in: directory) }

    private static func write(policy: String, in directory: String) throws {
        let policies = directory + "/policies"
        try FileManager.default.createDirectory(atPath: policies, withIntermediateDirectories: true)
        try Data(policy.utf8).write(to: URL(fileURLWithPath: policies + "/10.toml"))
    }

    /// Starts `mld` and waits until it answers.
    func start() async throws {
        process = Process()
        let words =
            wrapper + [
                Self.programs + "/mld", "--state", state, "--socket", socket, "--policy", directory + "/policies",
            ]
            + extraArguments
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = words.dropFirst().map { $0.replacingOccurrences(of: "{}", with: directory) }
        try Data().write(to: URL(fileURLWithPath: directory + "/log"))
        process.standardError = FileHandle(forWritingAtPath: directory + "/log")
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        heldSocket?.give(to: process)
        try process.run()
        for _ in 0..<200 {
            if (try? await client { try await $0.health() }) != nil { return }
            guard process.isRunning else { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Failure("mld did not start:\n\(log)")
    }

    /// SIGTERM, then wait for the exit.
    /// - Returns: its exit status.
    @discardableResult
    func stop() async -> Int32 {
        if process.isRunning { kill(process.processIdentifier, SIGTERM) }
        return await waitForExit()
    }

    func hangUp() { kill(process.processIdentifier, SIGHUP) }

    func crash() async {
        kill(process.processIdentifier, SIGKILL)
        _ = await waitForExit()
    }

    private func waitForExit() async -> Int32 {
        for _ in 0..<400 where process.isRunning { try? await Task.sleep(for: .milliseconds(50)) }
        if process.isRunning {
            Issue.record("mld did not stop:\n\(log)")
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        return process.terminationStatus
    }

    private func cleanUp() async {
        if process.isRunning {
            // No job may outlive its test.
            if let jobs = try? await client({ try await $0.jobs(states: [.queued, .starting, .running, .suspended]) }) {
                for job in jobs.jobs {
                    _ = try? await client { try await $0.cancel(job.id) }
                }
                for job in jobs.jobs { _ = try? await ended(job.id) }
            }
            await stop()
        }
        try? FileManager.default.removeItem(atPath: directory)
    }

    // MARK: - As a client

    func client<R: Sendable>(_ body: (JobClient) async throws -> R) async throws -> R {
        try await JobClient.with(socket: socket, body)
    }

    /// Submits `argv` with the test's own directory as working directory.
    func submit(_ argv: [String], change: (inout JobSpec) -> Void = { _ in }) async throws -> JobID {
        var spec = JobSpec(
            resources: .init(cpus: 1, memory: .mebibytes(64)), sandbox: .init(workdir: work),
            command: .init(argv: argv))
        change(&spec)
        return try await client { try await $0.submit(spec).id }
    }

    /// Waits until the job is in a final state.
    func ended(_ id: JobID) async throws -> JobDetail { try await reaches(id) { $0.state.isFinal } }

    func reaches(_ id: JobID, _ condition: (JobRecord) -> Bool) async throws -> JobDetail {
        for _ in 0..<600 {
            let detail = try await client { try await $0.job(id) }
            if condition(detail.job) { return detail }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Failure("job \(id) did not get there:\n\(log)")
    }

    func logs(_ id: JobID, _ stream: LogStream = .all) async throws -> String {
        String(decoding: try await client { try await $0.logs(id, stream: stream) }, as: UTF8.self)
    }

    /// Runs a built program to its end.
    static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], directory: String? = nil
    ) throws -> (status: Int32, out: String, err: String) {
        let process = Process()
        process.executableURL = URL(
            fileURLWithPath: program.hasPrefix("/") ? program : RunningDaemon.programs + "/" + program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
        let base = "/tmp/mldt-out-\(UUID().uuidString)"
        defer { for end in ["1", "2"] { try? FileManager.default.removeItem(atPath: base + end) } }
        // Files, not pipes: a pipe that nobody empties would stop a talkative program.
        for end in ["1", "2"] { try Data().write(to: URL(fileURLWithPath: base + end)) }
        process.standardOutput = FileHandle(forWritingAtPath: base + "1")
        process.standardError = FileHandle(forWritingAtPath: base + "2")
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return (
            process.terminationStatus, try String(contentsOfFile: base + "1", encoding: .utf8),
            try String(contentsOfFile: base + "2", encoding: .utf8)
        )
    }

    func mlctl(_ arguments: String...) throws -> (status: Int32, out: String, err: String) {
        try Self.run("mlctl", arguments, environment: ["MLD_SOCKET": socket], directory: work)
    }

    /// Makes an empty file in the jobs' working directory.
    func touch(_ name: String) throws { try Data().write(to: URL(fileURLWithPath: work + "/" + name)) }

    struct Failure: Error, CustomStringConvertible {
        var description: String
        init(_ description: String) { self.description = description }
    }
}
