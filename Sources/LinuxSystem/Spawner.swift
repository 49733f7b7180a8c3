import CLinux
import Glibc

/// Who starts the programs of jobs: this process, or a service whose children are not held by what holds us.
///
/// What a daemon behind systemd's walls may not do, its children may not do either: no other user, no namespaces, no writing to
/// home directories. So its own unit has the walls, and `mld-spawn.service` starts for it what has to do without them.
package enum Spawner: Sendable, Hashable {
    case here
    /// The service's socket; see `mld-exec serve`.
    case service(String)

    /// How long a service may take until it takes an order, which is milliseconds. The answer to an order for a job is waited for
    /// however long it takes: whoever gave up could not tell whether something was started.
    private static let patience: Int32 = 30

    /// A process, and when it was born: `nil` where that is still to be read.
    package struct Born: Hashable, Sendable {
        package var pid: Int32
        package var startTime: UInt64?
    }

    /// Starts a program that goes on without us; see ``ProcessSpawner/start(_:arguments:environment:directory:descriptors:cgroup:blockingSignals:)``.
    package func start(
        _ path: String, arguments: [String], environment: [String: String], directory: String,
        descriptors: [Int32], cgroup: Cgroup?
    ) throws(LinuxError) -> Born {
        switch self {
        case .here:
            let pid = try ProcessSpawner.start(
                path, arguments: arguments, environment: environment, directory: directory, descriptors: descriptors,
                cgroup: cgroup, blockingSignals: true
            ).pid
            return Born(pid: pid, startTime: nil)
        case .service(let socket):
            let order = Order(
                path: path, arguments: arguments, environment: environment, directory: directory,
                isBlockingSignals: true, wantsEnd: false)
            let connection = try Self.connect(socket, within: Self.patience)
            let answer = try order.send(over: connection, descriptors, cgroup, to: socket, answerWithin: nil)
            return Born(pid: answer.pid, startTime: answer.start_time)
        }
    }

    /// Runs a short helper program to its end; standard output and error come back together.
    ///
    /// It may run as somebody who means no good, and who can stop it: one that does not end within `patience` seconds, or prints more
    /// than `limit` bytes, is killed.
    /// - Throws: the same; with the code `ETIMEDOUT` or `EFBIG`.
    package func run(
        _ path: String, arguments: [String], patience: Double = 60, limit: Int = 64 * 1024
    ) throws(LinuxError) -> ProcessSpawner.Output {
        guard case .service(let socket) = self else {
            var program = BoundedProgram(path, arguments: arguments, patience: patience, limit: limit)
            return try program.run()
        }
        let deadline = SystemClock.monotonicNanoseconds() + Int64(patience * 1e9)
        let seconds = Int32(max(1, min(patience.rounded(.up), 3600)))
        var ends: [Int32] = [0, 0]
        guard mld_pipe(&ends) == 0 else { throw LinuxError("pipe") }
        let reader = Descriptor(owning: ends[0])
        // Whoever hangs up has the service kill what it started: see there.
        let connection = try Self.connect(socket, within: min(seconds, Self.patience))
        do {
            let writer = Descriptor(owning: ends[1])
            let null = try Descriptor.open("/dev/null", O_RDONLY)
            let order = Order(
                path: path, arguments: arguments, environment: [:], directory: "", isBlockingSignals: false,
                wantsEnd: true)
            _ = try order.send(
                over: connection, [null.raw, writer.raw, writer.raw], nil, to: socket, answerWithin: seconds)
        }
        var bytes: [UInt8] = []
        let left = Double(deadline - SystemClock.monotonicNanoseconds()) / 1e9
        if let failure = BoundedProgram.collect(
            &bytes, from: reader, until: connection.raw, patience: max(left, 0), limit: limit)
        {
            throw failure.error(path)
        }
        let end = try Self.answer(on: connection, from: socket)
        return ProcessSpawner.Output(status: end.status, bytes: bytes)
    }

    private static func connect(_ socket: String, within seconds: Int32) throws(LinuxError) -> Descriptor {
        let raw = mld_connect_packets(socket, seconds)
        guard raw >= 0 else {
            var error = LinuxError("connect to the service that starts jobs,", path: socket)
            // It is being restarted, or an admin has stopped it: nothing is wrong with the job.
            error.code = EAGAIN
            throw error
        }
        return Descriptor(owning: raw)
    }

    fileprivate static func answer(
        on connection: borrowing Descriptor, from socket: String
    ) throws(LinuxError) -> mld_spawn_answer {
        var answer = mld_spawn_answer()
        var descriptors = [Int32](repeating: -1, count: Int(MLD_MOST_PASSED))
        var count: Int32 = 0
        let wanted = MemoryLayout.size(ofValue: answer)
        let size = mld_receive_packet(connection.raw, &answer, wanted, &descriptors, &count)
        let code = errno
        for descriptor in descriptors.prefix(Int(count)) { close(descriptor) }
        if size < 0 {
            var error = LinuxError("hear from the service that starts jobs,", path: socket, code: code)
            // What a wait on a socket with a limit ends with.
            if code == EAGAIN { error = LinuxError(error.stage, path: socket, code: ETIMEDOUT) }
            throw error
        }
        // It ended, or is of another release.
        guard size == wanted else {
            throw LinuxError("hear from the service that starts jobs,", path: socket, code: EAGAIN)
        }
        return answer
    }
}

/// What the service is asked.
private struct Order {
    var path: String
    var arguments: [String]
    var environment: [String: String]
    /// Empty for the service's own.
    var directory: String
    var isBlockingSignals: Bool
    var wantsEnd: Bool

    /// - Parameter seconds: how long the answer may take; nil for as long as it takes.
    func send(
        over connection: borrowing Descriptor, _ descriptors: [Int32], _ cgroup: Cgroup?, to socket: String,
        answerWithin seconds: Int32?
    ) throws(LinuxError) -> mld_spawn_answer {
        let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let words = [path, directory, path] + arguments + variables
        guard !words.contains(where: { $0.utf8.contains(0) }) else {
            throw LinuxError("start", path: path, message: "a NUL character is in one of its words")
        }
        var bytes: [UInt8] = []
        for word in words { bytes += Array(word.utf8) + [0] }
        guard bytes.count <= Int(MLD_SPAWN_MOST_BYTES) else { throw LinuxError("start", path: path, code: E2BIG) }
        let file = try Descriptor.memoryFile("order", holding: bytes)
        var order = mld_spawn_order()
        order.version = UInt32(MLD_SPAWN_VERSION)
        order.arguments = UInt32(arguments.count + 1)
        order.variables = UInt32(variables.count)
        order.has_cgroup = cgroup == nil ? 0 : 1
        order.block_signals = isBlockingSignals ? 1 : 0
        order.wants_end = wantsEnd ? 1 : 0
        if let cgroup {
            let home = try Descriptor.open(cgroup.path, O_RDONLY | O_DIRECTORY)
            try pass(order, [file.raw, home.raw] + descriptors, over: connection, to: socket)
        } else {
            try pass(order, [file.raw] + descriptors, over: connection, to: socket)
        }
        _ = mld_limit_waits(connection.raw, seconds ?? 0)
        let answer = try Spawner.answer(on: connection, from: socket)
        guard answer.pid > 0 else {
            let stage = mld_spawn_stage(UInt32(bitPattern: answer.stage))
            throw LinuxError(ProcessSpawner.stageName(stage), path: path, code: answer.error)
        }
        return answer
    }

    private func pass(
        _ order: mld_spawn_order, _ descriptors: [Int32], over connection: borrowing Descriptor, to socket: String
    ) throws(LinuxError) {
        var order = order
        let size = MemoryLayout.size(ofValue: order)
        guard mld_send_packet(connection.raw, &order, size, descriptors, Int32(descriptors.count)) == 0 else {
            throw LinuxError("ask the service that starts jobs,", path: socket)
        }
    }
}
