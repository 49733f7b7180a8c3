import Foundation
import Glibc
import Testing

/// Clients that connect as fast as they can.
@Suite(.timeLimit(.minutes(2))) struct FloodTests {
    /// Connects until nobody listens.
    private static func flood(_ path: String) {
        while let descriptor = try? UnixSocket.connect(path) { close(descriptor) }
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

    /// Whoever has said all may close its half at once, before the server has looked at it.
    @Test func aClientThatClosesItsHalfAtOnceIsAnswered() async throws {
        try await RunningDaemon.with { daemon in
            for _ in 0..<50 {
                let client = try UnixSocket.connect(daemon.socket)
                let request = "GET /v1/health HTTP/1.1\r\nHost: mld\r\nConnection: close\r\n\r\n"
                #expect(write(client, request, request.utf8.count) == request.utf8.count)
                shutdown(client, Int32(SHUT_WR))
                var buffer = [UInt8](repeating: 0, count: 4096)
                let count = read(client, &buffer, buffer.count)
                close(client)
                #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self).hasPrefix("HTTP/1.1 200 OK"))
            }
        }
    }
}
