import Foundation
import Glibc

/// For tests that speak to the daemon byte by byte.
enum UnixSocket {
    static func connect(_ path: String, type: __socket_type = SOCK_STREAM) throws -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let descriptor = socket(AF_UNIX, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            close(descriptor)
            throw RunningDaemon.Failure("cannot connect: \(String(cString: strerror(errno)))")
        }
        return descriptor
    }
}
