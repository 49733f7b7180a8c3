import CLinux
import Glibc

/// Starts programs through the C shim, with exactly the descriptors, environment and cgroup that are named.
package enum ProcessSpawner {
    /// A process just started.
    package struct Spawned: ~Copyable, Sendable {
        package let pid: Int32
        /// Readable when the process ends; nil on a kernel without pidfds.
        package let descriptor: Descriptor?
    }

    /// - Parameters:
    ///   - descriptors: become 0, 1, 2, ... of the program; it gets no others.
    ///   - cgroup: the program is born in it, so that no instant of it goes uncounted.
    ///   - blockingSignals: the program starts with all signals blocked, and unblocks what it is ready for.
    package static func start(
        _ path: String, arguments: [String], environment: [String: String], directory: String? = nil,
        descriptors: [Int32], cgroup: Cgroup? = nil, blockingSignals: Bool = false
    ) throws(LinuxError) -> Spawned {
        guard let cgroup else {
            return try start(
                path, arguments: arguments, environment: environment, directory: directory, descriptors: descriptors,
                cgroupDescriptor: -1, blockingSignals: blockingSignals)
        }
        let home = try Descriptor.open(cgroup.path, O_RDONLY | O_DIRECTORY)
        return try start(
            path, arguments: arguments, environment: environment, directory: directory, descriptors: descriptors,
            cgroupDescriptor: home.raw, blockingSignals: blockingSignals)
    }

    private static func start(
        _ path: String, arguments: [String], environment: [String: String], directory: String?, descriptors: [Int32],
        cgroupDescriptor: Int32, blockingSignals: Bool
    ) throws(LinuxError) -> Spawned {
        var result = mld_spawned()
        let started = withCStrings([path] + arguments) { argv in
            withCStrings(environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }) { envp in
                withOptionalCString(directory) { directory in
                    path.withCString { path in
                        descriptors.withUnsafeBufferPointer { descriptors in
                            var request = mld_spawn_request()
                            request.path = path
                            request.argv = argv
                            request.envp = envp
                            request.directory = directory
                            request.descriptors = descriptors.baseAddress
                            request.descriptor_count = Int32(descriptors.count)
                            request.cgroup = cgroupDescriptor
                            request.new_session = true
                            request.block_signals = blockingSignals
                            return mld_spawn(&request, &result)
                        }
                    }
                }
            }
        }
        guard started else { throw LinuxError(stageName(result.stage), path: path, code: result.error) }
        return Spawned(pid: result.pid, descriptor: result.pidfd >= 0 ? Descriptor(owning: result.pidfd) : nil)
    }

    /// What a short program printed and how it ended.
    package struct Output: Hashable, Sendable {
        /// As waitpid(2) gives it.
        package var status: Int32
        package var bytes: [UInt8]

        package var text: String { String(decoding: bytes, as: UTF8.self) }

        package init(status: Int32, bytes: [UInt8]) {
            self.status = status
            self.bytes = bytes
        }

        package init(status: Int32, text: String) { self.init(status: status, bytes: Array(text.utf8)) }
    }

    /// Runs a short helper program that is trusted to end; standard output and error come back together. One that prints more than
    /// 64 KiB is killed: nobody would take the rest, and it would wait for that for ever.
    package static func run(
        _ path: String, arguments: [String], environment: [String: String] = [:]
    ) throws(LinuxError) -> Output {
        let program = try startWithOutput(path, arguments: arguments, environment: environment)
        let limit = 64 * 1024
        let bytes = try? program.output.read(limit: limit + 1)
        let isTooMuch = bytes.map { $0.count > limit } ?? true
        if isTooMuch { kill(program.process.pid, SIGKILL) }
        var status: Int32 = 0
        while waitpid(program.process.pid, &status, 0) < 0 {
            guard errno == EINTR else { throw LinuxError("waitpid") }
        }
        guard let bytes, !isTooMuch else {
            throw LinuxError("run", path: path, message: "printed more than \(limit) bytes: killed")
        }
        return Output(status: status, bytes: bytes)
    }

    /// A process just started, and the reading end of its output.
    struct WithOutput: ~Copyable {
        let process: Spawned
        let output: Descriptor
    }

    /// Starts a program without input; its standard output and error come out of the descriptor.
    static func startWithOutput(
        _ path: String, arguments: [String], environment: [String: String]
    ) throws(LinuxError) -> WithOutput {
        var ends: [Int32] = [0, 0]
        guard mld_pipe(&ends) == 0 else { throw LinuxError("pipe") }
        let reader = Descriptor(owning: ends[0])
        let writer = Descriptor(owning: ends[1])
        let null = try Descriptor.open("/dev/null", O_RDONLY)
        let process = try start(
            path, arguments: arguments, environment: environment, descriptors: [null.raw, writer.raw, writer.raw])
        return WithOutput(process: process, output: reader)
    }

    static func stageName(_ stage: mld_spawn_stage) -> String {
        switch stage {
        case MLD_SPAWN_PIPE: "pipe"
        case MLD_SPAWN_CLONE: "clone"
        case MLD_SPAWN_CGROUP: "join the cgroup of"
        case MLD_SPAWN_SESSION: "setsid"
        case MLD_SPAWN_DESCRIPTORS: "dup"
        case MLD_SPAWN_DIRECTORY: "chdir"
        case MLD_SPAWN_EXEC: "execute"
        default: "spawn"
        }
    }

    /// Calls `body` with a NULL-terminated array of C strings that lives as long as the call.
    private static func withCStrings<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Result
    ) -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
    }

    private static func withOptionalCString<Result>(
        _ string: String?, _ body: (UnsafePointer<CChar>?) -> Result
    ) -> Result {
        guard let string else { return body(nil) }
        return string.withCString { body($0) }
    }
}
