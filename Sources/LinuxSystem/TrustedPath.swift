package import Glibc

/// Whether only root and this process's user decide what a path leads to.
package enum TrustedPath {
    /// Why not, to be put after the path; nil when nobody else can exchange a part of it.
    package static func problem(of path: String) -> String? { problem(of: path, depth: 0) }

    private static func problem(of path: String, depth: Int) -> String? {
        guard depth < 40 else { return "leads through too many links" }
        var parent = "/"
        for name in path.split(separator: "/") {
            let entry = parent == "/" ? "/" + name : parent + "/" + name
            var folder = stat()
            var information = stat()
            guard stat(parent, &folder) == 0, lstat(entry, &information) == 0 else {
                return "cannot be looked at: \(entry): \(String(cString: strerror(errno)))"
            }
            guard isOurs(folder.st_uid) else { return "can be exchanged by the owner of \(parent)" }
            // In a sticky directory only the owner of an entry can exchange it.
            let isOpen = folder.st_mode & 0o022 != 0
            if isOpen, folder.st_mode & S_ISVTX == 0 || !isOurs(information.st_uid) {
                return "can be exchanged by all who may write to \(parent)"
            }
            if information.st_mode & S_IFMT == S_IFLNK {
                var buffer = [CChar](repeating: 0, count: 4096)
                let count = readlink(entry, &buffer, buffer.count)
                guard count > 0 else { return "cannot be followed at \(entry)" }
                let target = String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
                guard let next = followed(target, from: parent) else { return "leads through a link with \"..\" in it" }
                if let problem = problem(of: next, depth: depth + 1) { return problem }
            }
            parent = entry
        }
        return nil
    }

    package static func isOurs(_ uid: uid_t) -> Bool { uid == 0 || uid == geteuid() }

    /// Where a link leads. Nil where `..` follows a name: that name may be a link, so the text does not tell.
    private static func followed(_ target: String, from parent: String) -> String? {
        var parts: [Substring] = []
        if !target.hasPrefix("/") {
            guard let folder = realpath(parent, nil) else { return nil }
            defer { free(folder) }
            parts = String(cString: folder).split(separator: "/")
        }
        var isNamed = target.hasPrefix("/")
        for part in target.split(separator: "/") where part != "." {
            if part == ".." {
                if isNamed { return nil }
                _ = parts.popLast()
            } else {
                isNamed = true
                parts.append(part)
            }
        }
        return "/" + parts.joined(separator: "/")
    }
}
