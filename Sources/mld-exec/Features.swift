/// `mld-exec features`: what this build can do on this machine, as `NAME VALUE` lines for the daemon.
enum Features {
    static func print() throws(Failure) {
        Swift.print("seccomp-refused \(try SyscallFilter.standard().refusedCalls)")
    }
}
