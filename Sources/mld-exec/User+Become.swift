import CLinux
import Glibc

extension User {
    /// Becomes the user for good, with no capability left.
    func become() throws(Failure) {
        guard setgroups(groups.count, groups) == 0 else { throw Failure("set the groups of user \(uid)") }
        guard setgid(gid) == 0 else { throw Failure("become group \(gid)") }
        guard setuid(uid) == 0 else { throw Failure("become user \(uid)") }
        guard getuid() == uid, geteuid() == uid, getgid() == gid, getegid() == gid else {
            throw Failure(status: 126, "become user \(uid): the system kept another")
        }
        if uid != 0 {
            guard mld_keep_capabilities(0) == 0 else { throw Failure("drop the capabilities") }
            guard setuid(0) != 0 else { throw Failure(status: 126, "become user \(uid): it could return to root") }
        }
    }
}
