import Foundation
import Testing

/// What systemd is told and what it hands over, without systemd.
@Suite(.serialized) struct ServiceManagerTests {
    @Test func readinessAndTheStopAreNotified() async throws {
        let path = "/tmp/mldt-notify-\(UUID().uuidString.prefix(8))"
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer {
            close(descriptor)
            unlink(path)
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        try await RunningDaemon.with(environment: ["NOTIFY_SOCKET": path]) { daemon in
            #expect(message(descriptor)?.hasPrefix("READY=1\nSTATUS=Listening on \(daemon.socket)") == true)
            #expect(await daemon.stop() == 0)
            #expect(message(descriptor)?.hasPrefix("STOPPING=1") == true)
        }
    }

    /// The next datagram, or nil when none is there.
    private func message(_ descriptor: Int32) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }
}
