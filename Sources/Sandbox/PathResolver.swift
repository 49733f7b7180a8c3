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
    ///
    /// By bytes, as the kernel has it: to Swift, names that only look alike are equal, a slash with an accent is no slash, and a carriage
    /// return before a line break makes one character of both.
    static func path(_ path: String, isInside directory: String) -> Bool {
        let (path, directory) = (path.utf8, directory.utf8)
        guard path.starts(with: directory) else { return false }
        let rest = path.dropFirst(directory.count)
        return rest.isEmpty || directory.elementsEqual("/".utf8) || rest.first == UInt8(ascii: "/")
    }

    func isSame(as other: ResolvedPath) -> Bool { path.utf8.elementsEqual(other.path.utf8) }
}

/// Follows paths with the rights of the user a job runs as.
///
/// A daemon of root could reach what the user cannot, and a mount would then hand it to the job.
struct PathResolver {
    var execPath: String
    /// Nil: the rights of this process.
    var user: Launch.User?
    var spawner = Spawner.here
    /// Seconds. The helper runs as the user, who can stop it, and walks where the user says, such as a file system that does not
    /// answer.
    var patience = 10.0

    /// More than all can lead to that a submission may name.
    private static let mostBytes = 2 << 20

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
        guard let target = String(validatingCString: pointer) else { return .failure(unreadable(path)) }
        return .success(
            ResolvedPath(
                path: target, device: UInt64(information.st_dev), inode: UInt64(information.st_ino),
                isDirectory: information.st_mode & S_IFMT == S_IFDIR))
    }

    private func resolve(_ paths: [String], as user: Launch.User?) throws(SandboxError)
        -> [Result<ResolvedPath, SandboxError>]
    {
        let output: ProcessSpawner.Output
        do {
            output = try spawner.run(
                execPath, arguments: ["resolve"] + (user?.options ?? []) + ["--"] + paths, patience: patience,
                limit: Self.mostBytes)
        } catch {
            switch error.code {
            case ETIMEDOUT:
                let seconds = Int(patience.rounded(.up))
                throw SandboxError(
                    .badProfile, stage: "sandbox paths",
                    "they were not followed within \(seconds) s: a file system may not answer, or the machine is very busy",
                    isTransient: true)
            case EFBIG:
                throw SandboxError(
                    .badProfile, stage: "sandbox paths", "what they lead to takes more than \(Self.mostBytes) bytes")
            default: throw SandboxError("resolve paths", error)
            }
        }
        guard output.status == 0, let answers = Self.answers(output.bytes, to: paths) else {
            throw SandboxError(.system, stage: "resolve paths", "unexpected answer \"\(output.text.prefix(500))\"")
        }
        return answers
    }

    /// What `mld-exec resolve` prints: see there. Nil for what is no answer to each of these paths, in their order.
    static func answers(_ bytes: [UInt8], to paths: [String]) -> [Result<ResolvedPath, SandboxError>]? {
        let width = 6
        guard bytes.last == 0 else { return nil }
        let fields = bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false)
        guard fields.count == width * paths.count else { return nil }
        var answers: [Result<ResolvedPath, SandboxError>] = []
        for (index, path) in paths.enumerated() {
            let answer = Array(fields[(width * index)..<(width * (index + 1))])
            let number = { (field: Int) in String(decoding: answer[field], as: UTF8.self) }
            guard answer[0].elementsEqual(path.utf8), let code = Int32(number(1)) else { return nil }
            if code != 0 {
                answers.append(.failure(missing(path, code)))
                continue
            }
            guard let device = UInt64(number(2)), let inode = UInt64(number(3)), answer[5].first == UInt8(ascii: "/")
            else { return nil }
            guard let target = String(validating: answer[5], as: UTF8.self) else {
                answers.append(.failure(unreadable(path)))
                continue
            }
            answers.append(
                .success(
                    ResolvedPath(
                        path: target, device: device, inode: inode, isDirectory: answer[4].elementsEqual("d".utf8))))
        }
        return answers
    }

    /// Mended to be text, it would be another's name.
    private static func unreadable(_ path: String) -> SandboxError {
        SandboxError(.badProfile, stage: "sandbox path", "\(path): it leads to a name that is no UTF-8")
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
