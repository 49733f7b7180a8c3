import Glibc

/// The command line of bubblewrap for one job. Later operations mount over earlier ones, so the order is the meaning:
/// the system read-only, then empty private directories, then what the job was given, then the masks over it.
struct BubblewrapArguments {
    /// Where the sandbox shows this program for its last step.
    static let execInside = "/run/mld-exec"

    var profile: ResolvedProfile
    var network: Bool
    var home: String
    var execPath: String
    /// Bytes of each of the private directories in memory; nil leaves the kernel's limit of half the machine.
    var temporaryBytes: Int64?
    /// Root needs no user namespace, and may become another user in the last step.
    var isRoot: Bool
    var changesUser: Bool

    func make() -> [String] {
        namespaces() + system() + privateDirectories() + granted() + masked() + ["--remount-ro", "/"]
            + ["--chdir", "/"]
    }

    private func namespaces() -> [String] {
        var words = [
            "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try", "--die-with-parent",
            "--new-session", "--as-pid-1",
        ]
        if !network { words.append("--unshare-net") }
        if isRoot {
            words += ["--cap-drop", "ALL"]
            // To become the submitter; or else root's own way with files, once the sandbox shows only its own.
            let kept = changesUser ? ["SETUID", "SETGID"] : ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID"]
            for name in kept { words += ["--cap-add", "CAP_" + name] }
        } else {
            words.append("--unshare-user")
        }
        return words
    }

    private func system() -> [String] {
        var words = ["--ro-bind", "/usr", "/usr", "--ro-bind", "/etc", "/etc", "--ro-bind-try", "/opt", "/opt"]
        for path in ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"] {
            var buffer = [CChar](repeating: 0, count: 4096)
            let count = readlink(path, &buffer, buffer.count)
            if count > 0 {
                words += [
                    "--symlink", String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self), path,
                ]
            } else {
                words += ["--ro-bind-try", path, path]
            }
        }
        words += ["--proc", "/proc", "--dev", "/dev"]
        // The kernel lets uid 0 write its settings whatever its capabilities, so a job that runs as root gets them
        // read-only. For others they are closed by their modes.
        if isRoot {
            for name in ["sys", "sysrq-trigger", "irq", "bus"] {
                words += ["--ro-bind-try", "/proc/" + name, "/proc/" + name]
            }
        }
        // How many CPUs and memory nodes there are, for libraries that ask; no meter is below these.
        let counts = ["/sys/devices/system/cpu", "/sys/devices/system/node"]
        words += parents(of: counts)
        for path in counts { words += ["--ro-bind-try", path, path] }
        return words
    }

    private func privateDirectories() -> [String] {
        var words: [String] = []
        // Python's multiprocessing and others need /dev/shm.
        words += parents(of: ["/var/tmp", home])
        for path in ["/tmp", "/var/tmp", "/dev/shm", home == "/tmp" ? nil : home].compactMap({ $0 }) {
            if let temporaryBytes { words += ["--size", String(temporaryBytes)] }
            words += ["--perms", "1777", "--tmpfs", path]
        }
        words += ["--dir", "/run", "--ro-bind", execPath, Self.execInside]
        // Where /etc/resolv.conf leads out of /etc, names need what it leads to.
        if network, case .success(let target) = PathResolver.resolveHere("/etc/resolv.conf"), !target.isInside("/etc") {
            words += ["--ro-bind", target.path, target.path]
        }
        return words
    }

    private func granted() -> [String] {
        let targets =
            profile.programs + profile.binds.map(\.target) + [profile.output].compactMap { $0 }
            + profile.devices
        var words = parents(of: targets.map(\.path))
        for device in profile.devices { words += ["--dev-bind", device.path, device.path] }
        for program in profile.programs { words += ["--ro-bind", program.path, program.path] }
        for bind in profile.binds {
            words += [bind.writable ? "--bind" : "--ro-bind", bind.target.path, bind.target.path]
        }
        return words
    }

    /// bubblewrap makes missing parents of a mount with mode 0700, closed to whom the job runs as; these are open.
    private func parents(of paths: [String]) -> [String] {
        var made: Set<String> = []
        var words: [String] = []
        for path in paths {
            var parent = ""
            for name in path.split(separator: "/").dropLast() {
                parent += "/" + name
                if made.insert(parent).inserted { words += ["--dir", parent] }
            }
        }
        return words
    }

    private func masked() -> [String] {
        var words: [String] = []
        for mask in profile.masks {
            words += mask.isDirectory ? ["--tmpfs", mask.path] : ["--ro-bind", "/dev/null", mask.path]
        }
        // What is the job's own lies in what was just hidden.
        func isHidden(_ path: ResolvedPath) -> Bool { profile.masks.contains { path.isInside($0.path) } }
        let programs = profile.programs.filter(isHidden)
        words += parents(of: (programs + [profile.output].compactMap { $0 }.filter(isHidden)).map(\.path))
        for program in programs { words += ["--ro-bind", program.path, program.path] }
        if let output = profile.output { words += ["--bind", output.path, output.path] }
        for mask in profile.masks where mask.isDirectory { words += ["--remount-ro", mask.path] }
        // It lives in memory and nobody counts it; /dev/shm is a mount of its own.
        words += ["--remount-ro", "/dev"]
        return words
    }
}
