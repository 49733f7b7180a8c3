import Glibc
import LinuxSystem

/// Something on the machine that takes connections or messages, for as long as it lives.
final class Listener: Sendable {
    private let descriptor: Descriptor
    /// Of TCP and UDP on 127.0.0.1.
    let port: UInt16

    private init(_ family: Int32, _ kind: __socket_type, _ address: [UInt8]) throws {
        let number = socket(family, Int32(kind.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw LinuxError("socket") }
        descriptor = Descriptor(owning: number)
        var storage = sockaddr_storage()
        var length = socklen_t(address.count)
        let bound = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: UInt8.self, capacity: MemoryLayout<sockaddr_storage>.size) { bytes in
                for (index, byte) in address.enumerated() { bytes[index] = byte }
            }
            return pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(number, $0, length) == 0 }
        }
        guard bound else { throw LinuxError("bind") }
        if kind == SOCK_STREAM, listen(number, 16) != 0 { throw LinuxError("listen") }
        var name = sockaddr_in()
        length = socklen_t(MemoryLayout<sockaddr_in>.size)
        if family == AF_INET {
            let found = withUnsafeMutablePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &length) == 0 }
            }
            guard found else { throw LinuxError("getsockname") }
        }
        port = UInt16(bigEndian: name.sin_port)
    }

    /// The path is an address's, at most 107 bytes; whoever is outside may connect.
    convenience init(unix path: String) throws {
        try self.init(AF_UNIX, SOCK_STREAM, Self.family(AF_UNIX) + Array(path.utf8) + [0])
        chmod(path, 0o777)
    }

    /// A name that is no file.
    convenience init(abstract name: String) throws {
        try self.init(AF_UNIX, SOCK_STREAM, Self.family(AF_UNIX) + [0] + Array(name.utf8))
    }

    convenience init(loopback kind: __socket_type) throws {
        try self.init(AF_INET, kind, Self.family(AF_INET) + [0, 0, 127, 0, 0, 1] + [UInt8](repeating: 0, count: 8))
    }

    private static func family(_ family: Int32) -> [UInt8] {
        withUnsafeBytes(of: sa_family_t(family)) { Array($0) }
    }

    /// What has come to a UDP socket by now, one text per message.
    func messages() -> [String] {
        var found: [String] = []
        var buffer = [UInt8](repeating: 0, count: 256)
        while true {
            let count = recv(descriptor.raw, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count >= 0 else { return found }
            found.append(String(decoding: buffer[..<count], as: UTF8.self))
        }
    }
}
