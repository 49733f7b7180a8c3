import Foundation
import JobAPI
import TestSupport
import Testing

/// What systemd is told and what it hands over, without systemd.
@Suite(.serialized) struct ServiceManagerTests {
    @Test func readinessAndTheStopAreNotified() async throws {
        let notices = try DatagramSocket()
        try await RunningDaemon.with(environment: ["NOTIFY_SOCKET": notices.path]) { daemon in
            #expect(notices.next()?.hasPrefix("READY=1\nSTATUS=Listening on \(daemon.socket)") == true)
            #expect(await daemon.stop() == 0)
            #expect(notices.next()?.hasPrefix("STOPPING=1") == true)
        }
    }

    /// systemd would end what pings less often than it asks for.
    @Test func aDaemonThatIsWatchedSaysThatItLives() async throws {
        let notices = try DatagramSocket()
        try await RunningDaemon.with(environment: ["NOTIFY_SOCKET": notices.path, "WATCHDOG_USEC": "300000"]) {
            daemon in
            var pings = 0
            for _ in 0..<200 where pings < 5 {
                while let text = notices.next() { pings += text == "WATCHDOG=1" ? 1 : 0 }
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(pings >= 5)
            // One that stands still says nothing.
            kill(daemon.process.processIdentifier, SIGSTOP)
            while notices.next() != nil {}
            try await Task.sleep(for: .milliseconds(600))
            #expect(notices.next() == nil)
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
}
