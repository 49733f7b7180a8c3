import CLinux
import Glibc

/// `mld-exec resolve`: says as the submitting user what paths lead to.
///
/// The daemon may be root and able to reach what the user may not; a mount made from a path the user merely named would
/// open it to the job. So the path is walked with the user's own rights, and its identity (device and inode) is checked
/// again inside the sandbox.
enum ResolveStep {
    /// Six fields for each path, in the order asked, each ended by a NUL, which alone is in no path: the path itself, an errno or 0,
    /// and then the device, the inode, `d`, `f` or `o`, and where it leads; these four are empty where there is an errno.
    static func run(_ arguments: ArraySlice<String>) throws(Failure) {
        var reader = OptionReader(arguments)
        var user = User.Options()
        while let option = try reader.next() {
            guard try user.take(option, from: &reader) else { throw OptionReader.unknown(option) }
        }
        let paths = try reader.command()
        try user.user()?.become()
        for path in paths {
            let answer = Array(path.utf8) + [0] + follow(path)
            guard writeAll(STDOUT_FILENO, answer) else { throw Failure("answer") }
        }
    }

    private static func follow(_ path: String) -> [UInt8] {
        guard let pointer = realpath(path, nil) else { return failure(errno) }
        defer { free(pointer) }
        var information = stat()
        guard stat(pointer, &information) == 0 else { return failure(errno) }
        let kind =
            switch information.st_mode & S_IFMT {
            case S_IFDIR: "d"
            case S_IFREG: "f"
            default: "o"
            }
        let head = "0\0\(information.st_dev)\0\(information.st_ino)\0\(kind)\0"
        // As the file system has it, whether it is text or not.
        let target = UnsafeBufferPointer(start: pointer, count: strlen(pointer) + 1).map { UInt8(bitPattern: $0) }
        return Array(head.utf8) + target
    }

    private static func failure(_ code: Int32) -> [UInt8] { Array("\(code)\0\0\0\0\0".utf8) }
}
