import CLinux
import Glibc
import LinuxSystem

/// A path with all its links followed, and what is there.
struct ResolvedPath: Hashable, Sendable {
    var path: String
    var device: UInt64
    var inode: UInt64
    var isDirectory: Bool

    /// `DEVICE:INODE:PATH`, which the last step inside the sandbox checks again.
    var identity: String { "\(device):\(inode):\(path)" }

    func isInside(_ directory: String) -> Bool { Self.path(path, isInside: directory) }

    /// True also for the directory itself.
    static func path(_ path: String, isInside directory: String) -> Bool {
        path == directory || directory == "/" || path.hasPrefix(directory + "/")
    }
}

/// Follows paths with the rights of the user a job runs as.
///
/// A daemon of root could reach what the user cannot, and a mount would then hand it to the job.
struct PathResolver {
    var execPath: String
    /// Nil: the rights of this process.
    var user: Launch.User?
    var spawner = Spawner.here

    /// One result per path, in order.
    func resolve(_ paths: [String]) throws(SandboxError) -> [Result<ResolvedPath, SandboxError>] {
        if paths.isEmpty { return [] }
        if let user, user.uid != geteuid() { return try resolve(paths, as: user) }
        // It sees the files as the job will.
        if spawner != .here { return try resolve(paths, as: user) }
        return paths.map(Self.resolveHere)
    }

    static func resolveHere(_ path: String) -> Result<ResolvedPath, SandboxError> {
        guard let pointer = realpath(path, nil) else { return .failure(missing(path, errno)) }
        defer { free(pointer) }
        var information = stat()
        guard stat(pointer, &information) == 0 else { return .failure(missing(path, errno)) }
        return .success(
            ResolvedPath(
                path: String(cString: pointer), device: UInt64(information.st_dev), inode: UInt64(information.st_ino),
                isDirectory: information.st_mode & S_IFMT == S_IFDIR))
    }

    private func resolve(_ paths: [String], as user: Launch.User?) throws(SandboxError)
        -> [Result<ResolvedPath, SandboxError>]
    {
        let output: ProcessSpawner.Output
        do {
            output = try spawner.run(execPath, arguments: ["resolve"] + (user?.options ?? []) + ["--"] + paths)
        } catch {
            throw SandboxError("resolve paths", error)
        }
        let lines = output.text.split(separator: "\n")
        guard output.status == 0, lines.count == paths.count else {
            throw SandboxError(.system, stage: "resolve paths", String(output.text.prefix(500)))
        }
        var results: [Result<ResolvedPath, SandboxError>] = []
        for (path, line) in zip(paths, lines) {
            let words = line.split(separator: " ", maxSplits: 4)
            if words.first == "ok", words.count == 5, let device = UInt64(words[1]), let inode = UInt64(words[2]) {
                results.append(
                    .success(
                        ResolvedPath(
                            path: String(words[4]), device: device, inode: inode, isDirectory: words[3] == "d")))
            } else if words.first == "error", words.count >= 2, let code = Int32(words[1]) {
                results.append(.failure(Self.missing(path, code)))
            } else {
                throw SandboxError(.system, stage: "resolve paths", "unexpected answer \"\(line.prefix(200))\"")
            }
        }
        return results
    }

    private static func missing(_ path: String, _ code: Int32) -> SandboxError {
        let isTransient = LinuxError.isTransient(code)
        return SandboxError(
            isTransient ? .system : .badProfile, stage: "sandbox path", "\(path): \(String(cString: strerror(code)))",
            isTransient: isTransient)
    }
}

extension Launch.User {
    /// The options of mld-exec that name this user.
    var options: [String] {
        let numbers = groups.map(String.init).joined(separator: ",")
        return ["--uid", String(uid), "--gid", String(gid)] + (numbers.isEmpty ? [] : ["--groups", numbers])
    }
}
