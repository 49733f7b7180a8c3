import CLinux
import Glibc

/// `mld-exec supervise`: starts one job, holds its time limit, ends it and all it started, and writes its exit record.
///
/// It is asked by signals: SIGTERM stops the job with its grace time, SIGQUIT at once, SIGUSR1 freezes, SIGUSR2 thaws.
/// Hang-ups and interrupts are ignored: the daemon or the terminal that started it may go.
struct Supervisor {
    let options: SuperviseOptions
    var status: StatusPipe
    var cgroup: Int32 = -1
    var main: pid_t = -1
    var mainStatus: Int32?
    var clock = RunClock()
    var startedAt: Int64 = 0
    var endedAt: Int64 = 0
    /// Why the job is being ended, once it is.
    var ending: ExitRecord.Cause?
    /// When grace ends, on the monotonic clock.
    var killAt: Double?
    var termSent = false
    /// Where the job's error output began, to quote a sandbox that could not be built.
    var errorOffset: off_t = 0
    private var handled = sigset_t()

    init(options: SuperviseOptions) throws(Failure) {
        self.options = options
        status = try StatusPipe()
    }

    mutating func run() throws(Failure) -> Never {
        setUpSignals()
        try ExitRecord.reserve(at: options.record)
        guard mld_become_subreaper() == 0 else { throw Failure("become the subreaper") }
        _ = setsid()  // Fails harmlessly where the launcher has made the session.
        errorOffset = lseek(STDERR_FILENO, 0, SEEK_END)
        if let path = options.cgroup {
            cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            if cgroup < 0 {
                try finish(couldNotStart: "open the cgroup \(path): \(String(cString: strerror(errno)))", status: 126)
            }
        }
        try start()
        while true {
            reap()
            if mainStatus != nil { break }
            advance()
            wait(upTo: pause)
        }
        endedAt = Clock.now()
        killRest()
        status.update()
        try record().write(to: options.record)
        exit(0)
    }

    private mutating func setUpSignals() {
        for number in [SIGHUP, SIGINT, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU] { signal(number, SIG_IGN) }
        sigemptyset(&handled)
        for number in [SIGCHLD, SIGTERM, SIGQUIT, SIGUSR1, SIGUSR2] { sigaddset(&handled, number) }
        sigprocmask(SIG_SETMASK, &handled, nil)
    }

    private mutating func start() throws(Failure) {
        var result = mld_spawned()
        var arguments: [UnsafeMutablePointer<CChar>?] = options.command.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        let descriptors = Array(0..<options.passed) + [status.writer]
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
                return mld_spawn(&request, &result)
            }
        }
        status.closeWriter()
        guard started else {
            let reason = String(cString: strerror(result.error))
            try finish(
                couldNotStart: "start \(options.command[0]): \(reason) (stage \(result.stage.rawValue))",
                status: result.error == ENOENT ? 127 : 126)
        }
        main = result.pid
        if result.pidfd >= 0 { close(result.pidfd) }
    }

    private func finish(couldNotStart message: String, status: Int32) throws(Failure) -> Never {
        let now = Clock.now()
        let record = ExitRecord(
            cause: .couldNotStart, exitStatus: status, message: message, userMicroseconds: 0, systemMicroseconds: 0,
            maximumResidentBytes: 0, startedAt: startedAt == 0 ? now : startedAt, endedAt: now)
        try record.write(to: options.record)
        exit(0)
    }

    /// Waits for whatever has ended, the job's own main process or an orphan.
    private mutating func reap() {
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

    /// What is due by now: the limit, the term that waited for the job's start, the kill.
    private mutating func advance() {
        if let limit = options.timeLimit, ending == nil, clock.seconds >= limit { end(.timeLimit) }
        guard ending != nil else { return }
        if !termSent {
            status.update()
            // Inside a sandbox still being built nobody would hear it.
            if !options.wrapped || status.started {
                ProcessTree.signal(SIGTERM, except: options.wrapped ? main : 0)
                termSent = true
            }
        }
        if let killAt, Clock.monotonic() >= killAt { killTree() }
    }

    private mutating func end(_ cause: ExitRecord.Cause) {
        if ending == nil {
            ending = cause
            killAt = Clock.monotonic() + options.grace
        }
        thaw()
    }

    /// Seconds until something is due; nil if only a signal can change anything.
    private var pause: Double? {
        if ending != nil {
            if !termSent { return 0.01 }
            return killAt.map { max(0.01, $0 - Clock.monotonic()) }
        }
        guard let limit = options.timeLimit, !clock.isPaused else { return nil }
        return max(0.001, limit - clock.seconds)
    }

    private mutating func wait(upTo seconds: Double?) {
        var set = handled
        let number: Int32
        if let seconds {
            var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(seconds.truncatingRemainder(dividingBy: 1) * 1e9))
            number = sigtimedwait(&set, nil, &time)
        } else {
            number = sigwaitinfo(&set, nil)
        }
        switch number {
        case SIGTERM: endUnlessOver()
        case SIGQUIT:
            endUnlessOver()
            if ending != nil {
                termSent = true
                killAt = 0
            }
        case SIGUSR1: if ending == nil { freeze() }
        case SIGUSR2: thaw()
        default: break
        }
    }

    /// A job that ended by itself just before it was asked to is not a stopped job.
    private mutating func endUnlessOver() {
        reap()
        if mainStatus == nil { end(.stopped) }
    }

    private mutating func freeze() {
        clock.pause()
        if !writeCgroup("cgroup.freeze", "1") { ProcessTree.signal(SIGSTOP) }
    }

    private mutating func thaw() {
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

    private func killTree() {
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
