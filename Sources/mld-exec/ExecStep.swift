import CLinux
import Glibc

/// `mld-exec exec`: gives up privileges in the one order that works, and becomes the command.
struct ExecStep {
    let options: ExecOptions

    func run() throws(Failure) -> Never {
        // Ignored by what made the sandbox around us.
        signal(SIGTERM, SIG_DFL)
        if let status = options.status, fcntl(status, F_SETFD, FD_CLOEXEC) != 0 {
            throw Failure("use the status descriptor \(status)")
        }
        do throws(Failure) {
            let environment = try readEnvironment()
            try giveUpPrivileges()
            try verifyMounts()
            if let directory = options.directory, chdir(directory) != 0 { throw Failure("enter \(directory)") }
            if options.initProcess {
                // This program has one thread, so the child may go on in Swift.
                let child = mld_fork()
                if child < 0 { throw Failure("fork") }
                if child > 0 { Reaper(child: child, status: options.status).run() }
            }
            try execute(environment)
        } catch {
            report("\(error.isTransient ? "failed-for-now" : "failed") \(error.status) \(error.message)")
            throw error
        }
    }

    private func report(_ line: String) {
        guard let status = options.status else { return }
        writeAll(status, line.split(separator: "\n").joined(separator: " ") + "\n")
    }

    /// `NAME=VALUE` strings, each ended by a NUL. The environment is the user's: it must not reach a program (or its
    /// dynamic loader) before privileges are gone, so it travels in a descriptor.
    private func readEnvironment() throws(Failure) -> [(name: String, value: String)]? {
        guard let descriptor = options.environment else { return nil }
        defer { close(descriptor) }
        guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw Failure("read the environment") }
        let bytes = readAll(descriptor, limit: 4 << 20)
        return bytes.split(separator: 0).compactMap { entry in
            let parts = entry.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else { return nil }
            return (String(decoding: parts[0], as: UTF8.self), String(decoding: parts[1], as: UTF8.self))
        }
    }

    private func giveUpPrivileges() throws(Failure) {
        if let user = options.user {
            try user.become()
        }
        if geteuid() == 0 || options.user == nil {
            // Root's own job keeps root's way with files, which are only those the sandbox shows.
            guard mld_keep_capabilities(geteuid() == 0 ? mld_file_capabilities() : 0) == 0 else {
                throw Failure("drop the capabilities")
            }
        }
        guard mld_no_new_privileges() == 0 else { throw Failure("set no_new_privs") }
        // After the change of user, which resets both.
        guard mld_die_with_parent() == 0 else { throw Failure("bind to the supervisor") }
        guard mld_set_undumpable() == 0 else { throw Failure("close /proc/self to the job") }
    }

    /// Between the daemon's check and the mount the user could have put another directory in place.
    private func verifyMounts() throws(Failure) {
        for expected in options.verify {
            var information = stat()
            guard stat(expected.path, &information) == 0 else { throw Failure("look at \(expected.path)") }
            guard information.st_dev == expected.device, information.st_ino == expected.inode else {
                throw Failure(status: 126, "\(expected.path) was replaced while the job was being started")
            }
        }
    }

    private func execute(_ environment: [(name: String, value: String)]?) throws(Failure) -> Never {
        if let environment {
            clearenv()
            for (name, value) in environment { setenv(name, value, 1) }
        }
        var arguments: [UnsafeMutablePointer<CChar>?] = options.command.map { strdup($0) }
        arguments.append(nil)
        guard let program = arguments[0] else { throw Failure("copy the command") }
        guard mld_close_on_exec_from(options.closeFrom) == 0 else { throw Failure("close the descriptors") }
        if !options.cpus.isEmpty, mld_run_on_cpus(options.cpus, Int32(options.cpus.count)) != 0 {
            throw Failure("run on CPUs \(options.cpus.map(String.init).joined(separator: ","))")
        }
        // Said before it is known to be true; a later "failed" corrects it.
        report("started")
        if options.landlock { try Landlock.restrict(to: options.grants, inherited: options.closeFrom) }
        if let filter = options.filter {
            try ExportedFilter.load(from: filter)
        } else if options.seccomp {
            try SyscallFilter.standard(refusing: options.refusedCalls, allowing: options.allowedCalls).load()
        }
        // Last: they are the job's, and may be too small for what this program still had to do.
        for (resource, value) in options.limits { try resource.set(value) }
        execvp(program, arguments)
        let code = errno
        let command = options.command[0]
        if code == ENOENT, !command.contains("/") {
            throw Failure(status: 127, "\(command): command not found")
        }
        throw Failure("execute \(command)", code: code, status: code == ENOENT ? 127 : 126)
    }
}

/// Process 1 of a sandbox: waits for everything, and ends with the command. The kernel then kills what is left.
struct Reaper {
    let child: pid_t
    let status: Int32?

    func run() -> Never {
        var waited: Int32 = 0
        while true {
            let pid = waitpid(-1, &waited, 0)
            if pid == child { break }
            if pid < 0, errno == ECHILD { break }
        }
        if let status { writeAll(status, "ended \(waited)\n") }
        exit(mld_wait_signaled(waited) ? 128 + mld_wait_signal(waited) : mld_wait_exit_status(waited))
    }
}
