import CLinux
import Glibc

/// `mld-exec resolve`: says as the submitting user what paths lead to.
///
/// The daemon may be root and able to reach what the user may not; a mount made from a path the user merely named would
/// open it to the job. So the path is walked with the user's own rights, and its identity (device and inode) is checked
/// again inside the sandbox.
enum ResolveStep {
    /// One line per path: `ok DEV INO d|f|o PATH` or `error ERRNO PATH`.
    static func run(_ arguments: ArraySlice<String>) throws(Failure) {
        var reader = OptionReader(arguments)
        var user = User.Options()
        while let option = try reader.next() {
            guard try user.take(option, from: &reader) else { throw OptionReader.unknown(option) }
        }
        let paths = try reader.command()
        try user.user()?.become()
        for path in paths {
            guard let pointer = realpath(path, nil) else {
                print("error \(errno) \(path)")
                continue
            }
            defer { free(pointer) }
            var information = stat()
            guard stat(pointer, &information) == 0 else {
                print("error \(errno) \(path)")
                continue
            }
            let kind =
                switch information.st_mode & S_IFMT {
                case S_IFDIR: "d"
                case S_IFREG: "f"
                default: "o"
                }
            print("ok \(information.st_dev) \(information.st_ino) \(kind) \(String(cString: pointer))")
        }
    }
}
