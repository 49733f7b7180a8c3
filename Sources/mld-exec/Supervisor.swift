import CLinux
import Glibc

/// `mld-exec supervise`: starts one job, holds its time limit, ends it and all it started, and writes its exit record.
///
/// It is asked by signals: SIGTERM stops the job with its grace time, SIGQUIT at once. A real-time signal freezes or thaws, as
/// its value says: these are kept in their order, so that the last one asked for holds.
/// Hang-ups and interrupts are ignored: the daemon or the terminal that started it may go.
struct Supervisor {
    let options: SuperviseOptions
    var status = StatusPipe()
    var output: JobOutput?
    var memory: MemoryWatch?
    var cgroup: Int32 = -1
    var main: pid_t = -1
    var mainStatus: Int32?
    var clock = RunClock()
    var isWarned = false
    /// What its processes were sent with the warning.
    var warnSignal: Int32?
    var startedAt: Int64 = 0
    var endedAt: Int64 = 0
    /// Why the job is being ended, once it is.
    var ending: ExitRecord.Cause?
    /// When grace ends, on the monotonic clock.
    var killAt: Double?
    var termSent = false
    var handled = sigset_t()
    /// Readable when one of `handled` is pending.
    var signals: Int32 = -1

    /// Who started this process; another one once it has ended, also if it was started anew.
    private let daemon = getppid()
    private var daemonIsGone: Bool { getppid() != daemon }

    init(options: SuperviseOptions) {
        self.options = options
    }

    mutating func run() throws(Failure) -> Never {
        // A daemon that is told why its job could not start can try it again.
        do throws(Failure) {
            try setUp()
            try ExitRecord.markStart(at: options.record)
            try start()
        } catch {
            try finish(couldNotStart: error)
        }
        while true {
            reap()
            if mainStatus != nil { break }
            advance()
            wait(upTo: pause)
        }
        endedAt = Clock.now()
        killRest()
        output?.finish()
        status.update()
        try record().write(to: options.record, durably: daemonIsGone)
        exit(0)
    }

    private mutating func setUp() throws(Failure) {
        try setUpSignals()
        try ExitRecord.reserve(at: options.record)
        if let owner = options.logOwner {
            for path in options.given where lchown(path, owner.uid, owner.gid) != 0 {
                throw Failure("give \(path) to the job's user")
            }
        }
        guard mld_become_subreaper() == 0 else { throw Failure("become the subreaper") }
        _ = setsid()  // Fails harmlessly where the launcher has made the session.
        try status.open()
        output = try JobOutput(options)
        if let path = options.cgroup {
            cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            if cgroup < 0 { throw Failure("open the cgroup \(path)") }
        }
        memory = options.memoryLimit.map { MemoryWatch(limit: $0) }
    }

    private mutating func start() throws(Failure) {
        var result = mld_spawned()
        var arguments: [UnsafeMutablePointer<CChar>?] = options.command.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var descriptors = Array(0..<options.passed)
        for (index, writer) in (output?.writers ?? []).enumerated() where index + 1 < descriptors.count {
            descriptors[index + 1] = writer
        }
        descriptors.append(status.writer)
        startedAt = Clock.now()
        clock = RunClock()
        let started = arguments.withUnsafeBufferPointer { arguments in
            descriptors.withUnsafeBufferPointer { descriptors in
                var request = mld_spawn_request()
                request.path = arguments[0].map { UnsafePointer($0) }
                request.argv = arguments.baseAddress
                request.envp = UnsafePointer(environ)
                request.descriptors = descriptors.baseAddress
                request.descriptor_count = Int32(descriptors.count)
                request.cgroup = cgroup
                request.new_session = true
                // A machine that shuts down sends everybody SIGTERM: what holds the sandbox must stand as long as the job has to end
                // in an orderly way. The step inside it takes the default back.
                request.ignore_terminate = options.wrapped
                return mld_spawn(&request, &result)
            }
        }
        status.closeWriter()
        output?.closeWriters()
        guard started else {
            throw Failure(
                "start \(options.command[0]) (stage \(result.stage.rawValue))", code: result.error,
                status: result.error == ENOENT ? 127 : 126)
        }
        main = result.pid
        if result.pidfd >= 0 { close(result.pidfd) }
    }

    private func finish(couldNotStart failure: Failure) throws(Failure) -> Never {
        let now = Clock.now()
        var record = ExitRecord(cause: .couldNotStart, startedAt: startedAt == 0 ? now : startedAt, endedAt: now)
        record.exitStatus = failure.status
        record.message = failure.message
        record.isTransient = failure.isTransient
        try record.write(to: options.record, durably: daemonIsGone)
        exit(0)
    }

    /// Waits for whatever has ended, the job's own main process or an orphan.
    mutating func reap() {
        var waited: Int32 = 0
        while true {
            let pid = waitpid(-1, &waited, WNOHANG)
            if pid == main {
                mainStatus = waited
            } else if pid == 0 || (pid < 0 && errno != EINTR) {
                return
            }
        }
    }

    mutating func end(_ cause: ExitRecord.Cause) {
        if ending == nil {
            ending = cause
            killAt = Clock.monotonic() + options.grace
        }
        thaw()
    }

    mutating func freeze() {
        clock.pause()
        if !writeCgroup("cgroup.freeze", "1") { ProcessTree.signal(SIGSTOP) }
    }

    mutating func thaw() {
        guard clock.isPaused else { return }
        if !writeCgroup("cgroup.freeze", "0") { ProcessTree.signal(SIGCONT) }
        clock.resume()
    }

    /// False where there is no cgroup, or it has no such file.
    private func writeCgroup(_ file: String, _ value: String) -> Bool {
        guard cgroup >= 0 else { return false }
        let descriptor = openat(cgroup, file, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return writeAll(descriptor, value)
    }

    func killTree() {
        _ = writeCgroup("cgroup.kill", "1")
        ProcessTree.signal(SIGKILL)
    }

    /// After the main process: whatever it left behind goes too, and the record waits until it is gone.
    private func killRest() {
        var waited: Int32 = 0
        while true {
            let pid = waitpid(-1, &waited, WNOHANG)
            if pid > 0 { continue }
            if pid < 0 && errno != EINTR { return }
            killTree()
            usleep(2000)
        }
    }
}
