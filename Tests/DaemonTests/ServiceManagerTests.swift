import Foundation
import JobAPI
import Testing

/// What systemd is told and what it hands over, without systemd.
@Suite(.serialized) struct ServiceManagerTests {
    @Test func readinessAndTheStopAreNotified() async throws {
        let (path, descriptor) = try datagrams()
        defer {
            close(descriptor)
            unlink(path)
        }
        try await RunningDaemon.with(environment: ["NOTIFY_SOCKET": path]) { daemon in
            #expect(message(descriptor)?.hasPrefix("READY=1\nSTATUS=Listening on \(daemon.socket)") == true)
            #expect(await daemon.stop() == 0)
            #expect(message(descriptor)?.hasPrefix("STOPPING=1") == true)
        }
    }

    /// systemd would end what pings less often than it asks for.
    @Test func aDaemonThatIsWatchedSaysThatItLives() async throws {
        let (path, descriptor) = try datagrams()
        defer {
            close(descriptor)
            unlink(path)
        }
        try await RunningDaemon.with(environment: ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "300000"]) { daemon in
            var pings = 0
            for _ in 0..<200 where pings < 5 {
                while let text = message(descriptor) { pings += text == "WATCHDOG=1" ? 1 : 0 }
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(pings >= 5)
            // One that stands still says nothing.
            kill(daemon.process.processIdentifier, SIGSTOP)
            while message(descriptor) != nil {}
            try await Task.sleep(for: .milliseconds(600))
            #expect(message(descriptor) == nil)
            kill(daemon.process.processIdentifier, SIGCONT)
        }
    }

    @Test func whoComesWhileItRestartsWaits() async throws {
        try await RunningDaemon.with(holdsSocket: true) { daemon in
            let first = try await daemon.submit(["true"])
            #expect(try await daemon.ended(first).job.state == .succeeded)
            #expect(daemon.log.contains("listening on \(daemon.socket)"))
            #expect(await daemon.stop() == 0)
            // The socket is still there, and whoever writes to it now is heard by the next daemon.
            async let second = daemon.submit(["echo", "second"])
            try await Task.sleep(for: .milliseconds(300))
            try await daemon.start()
            let ended = try await daemon.ended(try await second)
            #expect(ended.job.state == .succeeded)
        }
    }

    @Test func aDescriptorThatIsNoListeningSocketIsRefused() throws {
        let directory = "/tmp/mldt-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let script = #"export LISTEN_PID=$$ LISTEN_FDS=1; exec "$0" "$@" 3</dev/null"#
        let mld = RunningDaemon.programs + "/mld"
        let result = try RunningDaemon.run(
            "/bin/sh", ["-c", script, mld, "--state", directory, "--socket", directory + "/s", "--policy", directory])
        #expect(result.status == 1)
        #expect(result.err.contains("one listening Unix socket"), "\(result.err)")
    }

    /// A socket as systemd has one for notifications.
    private func datagrams() throws -> (path: String, descriptor: Int32) {
        let path = "/tmp/mldt-notify-\(UUID().uuidString.prefix(8))"
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        return (path, descriptor)
    }

    /// The next datagram, or nil when none is there.
    private func message(_ descriptor: Int32) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }
}
