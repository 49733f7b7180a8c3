import Foundation
import Glibc
import Testing

/// Clients that connect as fast as they can.
@Suite(.timeLimit(.minutes(2))) struct FloodTests {
    /// Connects until nobody listens.
    private static func flood(_ path: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        var isOpen = true
        while isOpen {
            let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            isOpen = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
                }
            }
            close(descriptor)
        }
    }

    @Test func aStopInTheMidstOfItIsAnOrderlyOne() async throws {
        try await RunningDaemon.with { daemon in
            for round in 0..<5 {
                if round > 0 { try await daemon.start() }
                let socket = daemon.socket
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<3 {
                        group.addTask {
                            await withCheckedContinuation { done in
                                Thread.detachNewThread {
                                    Self.flood(socket)
                                    done.resume()
                                }
                            }
                        }
                    }
                    try? await Task.sleep(for: .milliseconds(100))
                    #expect(await daemon.stop() == 0, "\(daemon.log)")
                }
            }
        }
    }
}
