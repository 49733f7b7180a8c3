import CLinux
import Glibc

/// `mld-exec serve`: starts the supervisors of jobs, and what else must become another user or make namespaces, for a daemon that
/// may do neither.
///
/// What a service may not do, its children may not do either, and jobs must do what their users may. So the daemon, which talks to
/// everybody, keeps behind walls that no job could live with, and this, which talks to the daemon alone, has the rights.
/// It keeps no state: ended and started again, it owes nobody anything.
struct SpawnService {
    /// The one program besides this one that it starts: the sandbox, when the daemon tries what works here.
    private static let bubblewrap = "/usr/bin/bwrap"
    /// systemd hands the listening socket over as this.
    private static let listener: Int32 = 3
    /// A packet that does not come within these seconds comes from nobody who means well.
    private static let patience: Int32 = 10

    private let own: String
    private let peer: SpawnPeer
    private let signals: Int32
    private var handled: sigset_t
    /// Who wants to be told how a process ended.
    private var waiting: [pid_t: Int32] = [:]

    static func run(_ arguments: ArraySlice<String>) throws(Failure) {
        var reader = OptionReader(arguments)
        var placeFile: String?
        while let option = try reader.next() {
            guard option == "--jobs-cgroup" else { throw OptionReader.unknown(option) }
            placeFile = try reader.value(of: option)
        }
        guard let pid = getenv("LISTEN_PID").flatMap({ pid_t(String(cString: $0)) }), pid == getpid(),
            let count = getenv("LISTEN_FDS").map({ String(cString: $0) }), count == "1"
        else { throw Failure(status: 2, "serve: one listening socket is needed, from systemd (mld-spawn.socket)") }
        guard fcntl(listener, F_SETFD, FD_CLOEXEC) == 0 else { throw Failure("serve: the socket") }
        var service = try SpawnService(SpawnPeer(placeFile: placeFile))
        try service.loop()
    }

    private init(_ peer: SpawnPeer) throws(Failure) {
        self.peer = peer
        guard let path = realpath("/proc/self/exe", nil) else { throw Failure("serve: find this program") }
        defer { free(path) }
        own = String(cString: path)
        handled = sigset_t()
        sigemptyset(&handled)
        sigaddset(&handled, SIGCHLD)
        guard sigprocmask(SIG_SETMASK, &handled, nil) == 0 else { throw Failure("serve: block signals") }
        signal(SIGPIPE, SIG_IGN)
        signals = mld_signal_descriptor(&handled)
        guard signals >= 0 else { throw Failure("serve: signalfd") }
    }

    private mutating func loop() throws(Failure) {
        while true {
            var watched = [Self.listener, signals].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            let asking = Array(waiting)
            // Without events it is a hang-up that is waited for.
            watched += asking.map { pollfd(fd: $0.value, events: 0, revents: 0) }
            guard poll(&watched, nfds_t(watched.count), -1) >= 0 || errno == EINTR else { throw Failure("serve: poll") }
            if watched[1].revents != 0 { reap() }
            for (asked, watched) in zip(asking, watched.dropFirst(2)) where watched.revents != 0 { abandon(asked.key) }
            if watched[0].revents != 0 { serve() }
        }
    }

    /// Whoever wanted its end has hung up, since it takes too long or prints too much: nobody else would end it, for it may run as
    /// somebody who has stopped it.
    private mutating func abandon(_ pid: pid_t) {
        // Ended and waited for meanwhile, its number may be another's.
        guard let connection = waiting.removeValue(forKey: pid) else { return }
        close(connection)
        Self.end(pid)
    }

    /// A process of ours that was not waited for; it leads a session of its own, so its children go with it.
    private static func end(_ pid: pid_t) {
        kill(-pid, SIGKILL)
        kill(pid, SIGKILL)
    }

    private mutating func serve() {
        let connection = mld_accept_packets(Self.listener, Self.patience)
        // Whoever it was has gone again, or nothing can be opened now: then they look at what they get, which is nothing.
        guard connection >= 0 else {
            if errno == EMFILE || errno == ENFILE { usleep(10_000) }
            return
        }
        if let refused = peer.refusal(of: connection) {
            complain("\(refused) wanted something started")
            close(connection)
            return
        }
        var order = mld_spawn_order()
        var descriptors = [Int32](repeating: -1, count: Int(MLD_MOST_PASSED))
        var count: Int32 = 0
        let size = mld_receive_packet(connection, &order, MemoryLayout.size(ofValue: order), &descriptors, &count)
        let received = Array(descriptors.prefix(Int(count)))
        defer { for descriptor in received { close(descriptor) } }
        var answer = mld_spawn_answer()
        if size == MemoryLayout.size(ofValue: order), let words = Words(order, received.first) {
            answer = start(order, words, Array(received.dropFirst()))
        } else {
            answer.stage = Int32(MLD_SPAWN_REQUEST.rawValue)
            answer.error = EINVAL
        }
        let isSent = mld_send_packet(connection, &answer, MemoryLayout.size(ofValue: answer), nil, 0) == 0
        guard answer.pid > 0, order.wants_end != 0 else {
            close(connection)
            return
        }
        if isSent {
            waiting[answer.pid] = connection
        } else {
            close(connection)
            Self.end(answer.pid)
        }
    }

    /// Nothing but this program and the sandbox is started, whoever asks.
    private func start(_ order: mld_spawn_order, _ words: Words, _ descriptors: [Int32]) -> mld_spawn_answer {
        var answer = mld_spawn_answer()
        guard words.path == own || words.path == Self.bubblewrap else {
            answer.stage = Int32(MLD_SPAWN_REQUEST.rawValue)
            answer.error = EACCES
            return answer
        }
        let hasCgroup = order.has_cgroup != 0
        guard !hasCgroup || !descriptors.isEmpty else {
            answer.stage = Int32(MLD_SPAWN_REQUEST.rawValue)
            answer.error = EINVAL
            return answer
        }
        let given = Array(descriptors.dropFirst(hasCgroup ? 1 : 0))
        var result = mld_spawned()
        let isStarted = words.withPointers { path, directory, arguments, variables in
            given.withUnsafeBufferPointer { given in
                var request = mld_spawn_request()
                request.path = path
                request.argv = arguments
                request.envp = variables
                request.directory = directory
                request.descriptors = given.baseAddress
                request.descriptor_count = Int32(given.count)
                request.cgroup = hasCgroup ? descriptors[0] : -1
                request.new_session = true
                request.block_signals = order.block_signals != 0
                return mld_spawn(&request, &result)
            }
        }
        guard isStarted else {
            answer.stage = Int32(result.stage.rawValue)
            answer.error = result.error
            return answer
        }
        if result.pidfd >= 0 { close(result.pidfd) }
        // Not reaped yet, so it is still there to be looked at, ended or not. Where no descriptor is left to do it with, nobody could
        // tell it from another later, so it must not run on.
        guard let startTime = ProcessTree.startTime(of: result.pid) else {
            kill(result.pid, SIGKILL)
            answer.stage = Int32(MLD_SPAWN_DESCRIPTORS.rawValue)
            answer.error = EMFILE
            return answer
        }
        answer.pid = result.pid
        answer.start_time = startTime
        return answer
    }

    private mutating func reap() {
        var value: Int32 = 0
        while mld_take_signal(&handled, &value) >= 0 {}
        var status: Int32 = 0
        while true {
            let pid = waitpid(-1, &status, WNOHANG)
            guard pid > 0 else { return }
            guard let connection = waiting.removeValue(forKey: pid) else { continue }
            var answer = mld_spawn_answer()
            answer.pid = pid
            answer.status = status
            // Whoever asked may have gone.
            _ = mld_send_packet(connection, &answer, MemoryLayout.size(ofValue: answer), nil, 0)
            close(connection)
        }
    }
}

/// The words of an order, as they lie in its file.
private struct Words {
    let path: String
    let directory: String
    let arguments: [String]
    let variables: [String]

    /// Nil for what is none.
    init?(_ order: mld_spawn_order, _ file: Int32?) {
        guard order.version == MLD_SPAWN_VERSION, let file, lseek(file, 0, SEEK_SET) == 0 else { return nil }
        let bytes = readAll(file, limit: Int(MLD_SPAWN_MOST_BYTES) + 1)
        guard bytes.count <= Int(MLD_SPAWN_MOST_BYTES), bytes.last == 0 else { return nil }
        let words = bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false)
        let (count, rest) = (Int(order.arguments), Int(order.variables))
        guard count > 0, words.count == 2 + count + rest else { return nil }
        path = String(decoding: words[0], as: UTF8.self)
        directory = String(decoding: words[1], as: UTF8.self)
        arguments = words[2..<(2 + count)].map { String(decoding: $0, as: UTF8.self) }
        variables = words[(2 + count)...].map { String(decoding: $0, as: UTF8.self) }
    }

    typealias Pointers = UnsafePointer<UnsafeMutablePointer<CChar>?>

    func withPointers<R>(
        _ body: (UnsafePointer<CChar>, UnsafePointer<CChar>?, Pointers?, Pointers?) -> R
    ) -> R {
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        return path.withCString { path in
            directory.withCString { directory in
                argv.withUnsafeMutableBufferPointer { argv in
                    envp.withUnsafeMutableBufferPointer { envp in
                        body(
                            path, directory.pointee == 0 ? nil : directory,
                            UnsafePointer(argv.baseAddress), UnsafePointer(envp.baseAddress))
                    }
                }
            }
        }
    }
}
