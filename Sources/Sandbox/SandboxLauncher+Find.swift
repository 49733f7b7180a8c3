import Glibc
import LinuxSystem

extension SandboxLauncher {
    /// The cgroup of that name, if it is there.
    package func cgroupPath(_ name: String) -> String? {
        guard let path = capabilities.jobsCgroup?.child(name).path, access(path, F_OK) == 0 else { return nil }
        return path
    }

    /// Whether a process is a job's: by its cgroup, or where jobs have none, by its being in a PID namespace of its own.
    ///
    /// A job that gets hold of the daemon's socket must not be taken for its user.
    /// - Returns: nil where it cannot be looked at: it has ended, perhaps on purpose, with a child of its own at the socket.
    /// - Throws: where it cannot be told now, since descriptors or memory are used up.
    package func isJob(_ pid: Int32) throws(SandboxError) -> Bool? {
        // The kernel's number for a process in no namespace that we see; jobs are in ours or below it.
        if pid == 0 { return false }
        if jobsPrefix == nil {
            guard let theirs = try namespaces(String(pid)), let ours = try namespaces("self") else { return nil }
            return theirs > ours
        }
        guard let text = try text("\(pid)/cgroup") else { return nil }
        // A place that we do not see is none of ours.
        return jobsPrefix.flatMap { CgroupTree.ownPath(parsing: text)?.hasPrefix($0) } ?? false
    }

    /// Of how many PID namespaces a process is a part that we see. Its links in `ns` would be closed to a daemon without the right to trace.
    private func namespaces(_ process: String) throws(SandboxError) -> Int? {
        let line = try text(process + "/status")?.split(separator: "\n").first { $0.hasPrefix("NSpid:") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().count
    }

    /// Nil where it cannot be read, as of a process that has ended.
    private func text(_ file: String) throws(SandboxError) -> String? {
        do throws(LinuxError) {
            let bytes = try Descriptor.open("\(processes.procfs)/\(file)", O_RDONLY | O_NONBLOCK).read(limit: 64 * 1024)
            return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
        } catch {
            if error.isTransient { throw SandboxError("look at who asks", error) }
            return nil
        }
    }

    /// Looks for the supervisor that writes `record`, among our own user's processes.
    ///
    /// For the daemon that died between starting a job and noting its process: without this the job would run on unknown.
    /// - Parameter cgroupName: as given at the start.
    /// - Returns: nil when there is no such process.
    /// - Throws: when a process that is there could not be looked at: it may be the one.
    package func find(record: String, cgroupName: String) throws(SandboxError) -> Started? {
        do throws(LinuxError) {
            for pid in try processes.pids() where try writes(pid, record) {
                guard let status = processes.status(of: pid) else {
                    // It ended meanwhile, or there is no descriptor to read it with.
                    guard access("\(processes.procfs)/\(pid)/stat", F_OK) == 0 else { continue }
                    throw LinuxError("read", path: "\(processes.procfs)/\(pid)/stat", message: "cannot be read now")
                }
                if status.hasEnded { continue }
                return Started(
                    supervisorPID: pid, startTime: status.startTime, cgroupPath: cgroupPath(cgroupName))
            }
            return nil
        } catch {
            throw SandboxError("find the supervisor", error)
        }
    }

    /// Whether the process is a supervisor of ours that writes `record`, by its command line.
    private func writes(_ pid: Int32, _ record: String) throws(LinuxError) -> Bool {
        let folder = "\(processes.procfs)/\(pid)"
        var information = stat()
        guard stat(folder, &information) == 0 else {
            if LinuxError.isTransient(errno) { throw LinuxError("stat", path: folder) }
            return false
        }
        // Another user's process may call itself what it likes.
        guard information.st_uid == geteuid() else { return false }
        do throws(LinuxError) {
            let file = try Descriptor.open(folder + "/cmdline", O_RDONLY | O_NONBLOCK)
            let words = try file.read(limit: 64 * 1024).split(separator: 0, omittingEmptySubsequences: false).prefix(4)
                .map { String(decoding: $0, as: UTF8.self) }
            return words.count == 4 && words[1] == "supervise" && words[2] == "--record" && words[3] == record
        } catch {
            // One that ends while it is looked at is not there any more.
            guard error.isTransient else { return false }
            throw error
        }
    }
}
