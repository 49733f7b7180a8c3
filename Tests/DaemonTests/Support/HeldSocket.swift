import Foundation
import TestSupport
import Testing

/// A listening Unix socket that outlives the programs it is given to, as systemd gives them one.
final class HeldSocket {
    let path: String
    private let descriptor: Int32

    init(_ path: String, type: Int32 = Int32(SOCK_STREAM.rawValue)) throws {
        self.path = path
        descriptor = socket(AF_UNIX, type | Int32(SOCK_CLOEXEC.rawValue), 0)
        let bound = withSocketAddress(path) { bind(descriptor, $0, $1) }
        try #require(bound == 0 && listen(descriptor, 4096) == 0)
    }

    deinit {
        close(descriptor)
        unlink(path)
    }

    /// Has the process, which was not started yet, find it as descriptor 3, and `LISTEN_PID` and `LISTEN_FDS` in its environment.
    func give(to process: Process) {
        let program = process.executableURL?.path ?? ""
        // The variable names the process that is to take it: a shell knows its own number and becomes the program.
        let script = #"export LISTEN_PID=$$ LISTEN_FDS=1; exec "$0" "$@" 3<&0 0</dev/null"#
        process.arguments = ["-c", script, program] + (process.arguments ?? [])
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.standardInput = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
    }
}

/// `mld-exec serve` as systemd runs it, with a socket that outlives it.
final class JobsService {
    private let socket: HeldSocket
    private let arguments: [String]
    private(set) var process = Process()
    let log: String

    var path: String { socket.path }

    init(in directory: String, arguments: [String] = []) throws {
        self.arguments = arguments
        socket = try HeldSocket(directory + "/jobs.sock", type: Int32(SOCK_SEQPACKET.rawValue))
        log = directory + "/jobs.log"
        try start()
    }

    deinit { stop() }

    func start() throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: RunningDaemon.programs + "/mld-exec")
        process.arguments = ["serve"] + arguments
        try Data().write(to: URL(fileURLWithPath: log))
        process.standardError = FileHandle(forWritingAtPath: log)
        socket.give(to: process)
        try process.run()
    }

    func stop() {
        guard process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
