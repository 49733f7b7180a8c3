import CLinux
import Glibc

/// `mld-exec features`: what this build can do on this machine, as `NAME VALUE...` lines for the daemon.
enum Features {
    static func print() throws(Failure) {
        Swift.print("seccomp-refused \(try SyscallFilter.standard().refusedCalls)")
        Swift.print("seccomp-names \(SyscallFilter.refused.joined(separator: " "))")
        Swift.print("seccomp-allowable \(SyscallFilter.allowable.joined(separator: " "))")
        let version = mld_landlock_version()
        if version >= 0 {
            Swift.print("landlock \(version) \(Landlock.leastVersion)")
        } else {
            Swift.print("landlock-missing \(String(cString: strerror(errno)))")
        }
    }
}
