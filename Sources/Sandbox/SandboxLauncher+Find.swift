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
    package func isJob(_ pid: Int32) -> Bool {
        let folder = "\(processes.procfs)/\(pid)"
        if let jobsPrefix {
            return processes.cgroupPath(of: pid)?.hasPrefix(jobsPrefix) ?? false
        }
        func namespace(_ path: String) -> String? {
            var buffer = [CChar](repeating: 0, count: 256)
            let count = readlink(path, &buffer, buffer.count)
            return count > 0 ? String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
        }
        guard let theirs = namespace(folder + "/ns/pid"), let ours = namespace("/proc/self/ns/pid") else {
            return false
        }
        return theirs != ours
    }

    /// Looks for the supervisor that writes `record`, among our own user's processes.
    ///
    /// For the daemon that died between starting a job and noting its process: without this the job would run on unknown.
    /// - Parameter cgroupName: as given at the start.
    /// - Returns: nil when there is no such process.
    package func find(record: String, cgroupName: String) throws(SandboxError) -> Started? {
        do throws(LinuxError) {
            for process in try processes.all() where !process.hasEnded {
                let folder = "\(processes.procfs)/\(process.pid)"
                // Another user's process may call itself what it likes.
                var information = stat()
                guard stat(folder, &information) == 0, information.st_uid == geteuid(),
                    let file = try? Descriptor.open(folder + "/cmdline", O_RDONLY | O_NONBLOCK),
                    let bytes = try? file.read(limit: 64 * 1024)
                else { continue }
                let words = bytes.split(separator: 0, omittingEmptySubsequences: false).prefix(4).map {
                    String(decoding: $0, as: UTF8.self)
                }
                guard words.count == 4, words[1] == "supervise", words[2] == "--record", words[3] == record else {
                    continue
                }
                return Started(
                    supervisorPID: process.pid, startTime: process.startTime, cgroupPath: cgroupPath(cgroupName))
            }
            return nil
        } catch {
            throw SandboxError("find the supervisor", error)
        }
    }
}
