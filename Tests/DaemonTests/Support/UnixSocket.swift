import Glibc
import TestSupport

/// For tests that speak to the daemon byte by byte.
enum UnixSocket {
    static func connect(_ path: String, type: __socket_type = SOCK_STREAM) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let result = withSocketAddress(path) { Glibc.connect(descriptor, $0, $1) }
        guard result == 0 else {
            close(descriptor)
            throw RunningDaemon.Failure("cannot connect: \(String(cString: strerror(errno)))")
        }
        return descriptor
    }
}
