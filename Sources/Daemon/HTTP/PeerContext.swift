import Glibc
import Hummingbird
import JobAPI
import LinuxSystem
import NIOCore
import Logging

/// A request with the identity of its sender, as the kernel knows it.
struct PeerContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    /// Nobody needs more than this for one request; the body is read whole into memory.
    var maxUploadSize: Int { 1 << 20 }

    /// Who sent the request. Never taken from the request itself.
    func peer() async throws -> Peer {
        guard let provider = channel as? any SocketOptionProvider else {
            throw APIError(.internalError, "the connection has no peer credentials")
        }
        // SOL_SOCKET, SO_PEERCRED: struct ucred of pid, uid, gid.
        let credentials: Peer = try await provider.unsafeGetSocketOption(
            level: .init(rawValue: 1), name: .init(rawValue: 17)
        ).get()
        // What the kernel says of a socket that is no connected Unix socket: nobody, who must not become a user.
        guard credentials.uid != .max else { throw APIError(.forbidden, "the kernel does not say who you are") }
        return credentials
    }

    /// Whether the process that opened the connection has ended, so that its number may be another's by now. False on a kernel that does
    /// not tell (before Linux 6.5).
    func peerHasEnded(_ peer: Peer) async throws -> Bool {
        guard peer.pid != 0, let provider = channel as? any SocketOptionProvider else { return false }
        do {
            // SOL_SOCKET, SO_PEERPIDFD.
            let raw: Int32 = try await provider.unsafeGetSocketOption(
                level: .init(rawValue: 1), name: .init(rawValue: 77)
            ).get()
            let process = Descriptor(owning: raw)
            var end = pollfd(fd: process.raw, events: Int16(POLLIN), revents: 0)
            return poll(&end, 1, 0) != 0
        } catch let error as IOError where error.errnoCode == ENOPROTOOPT {
            return false
        } catch let error as IOError where !LinuxError.isTransient(error.errnoCode) {
            // Of one that was waited for already some kernels give no descriptor.
            return true
        }
    }
}

/// The layout of the kernel's `struct ucred`.
struct Peer: Sendable, Hashable {
    var pid: Int32 = 0
    var uid: UInt32 = .max
    var gid: UInt32 = .max
}
