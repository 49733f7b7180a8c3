import Foundation
import JobAPI
import Sandbox
import Testing

@testable import Daemon

/// Reading a job's log while its supervisor turns it over. The supervisor is the real one, without a daemon.
@Suite(.timeLimit(.minutes(1))) struct LogTailTests {
    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        let directory = "/tmp/mldt-log-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await body(directory)
    }

    private func append(_ text: [UInt8], to path: String) throws {
        if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text))
        try handle.close()
    }

    private func start(_ script: String, in directory: String, limit: Int64) throws -> (SandboxLauncher, Started) {
        let launcher = try SandboxLauncher(execPath: RunningDaemon.programs + "/mld-exec", cgroups: nil)
        var launch = Launch(
            jobDirectory: directory, argv: ["/bin/sh", "-c", script], graceSeconds: 1, cgroupName: "log-test")
        launch.logLimitBytes = limit
        return (launcher, try launcher.start(launch, profile: SandboxProfile(workdir: directory)))
    }

    @Test func aReaderThatKeepsUpGetsEveryByteOnce() async throws {
        try await withDirectory { directory in
            // The job goes on once the reader is where it is: about fifty files of 4 KiB.
            let script = """
                i=0
                while [ $i -lt 100 ]; do
                    seq $((i * 400)) $((i * 400 + 399))
                    i=$((i + 1)); while [ "$(cat step 2>/dev/null)" != $i ]; do sleep 0.01; done
                done
                """
            let (launcher, started) = try start(script, in: directory, limit: 16_384)
            var tail = LogTail(path: directory + "/stdout")
            var bytes: [UInt8] = []
            var lines = 0
            while launcher.isAlive(started) {
                let piece = tail.read(limit: 3000)
                #expect(piece.missing == 0)
                bytes += piece.bytes
                lines += piece.bytes.count { $0 == 0x0A }
                if piece.bytes.isEmpty {
                    try "\(lines / 400)".write(toFile: directory + "/step", atomically: true, encoding: .utf8)
                    try await Task.sleep(for: .milliseconds(2))
                }
            }
            try await launcher.waitForExit(started)
            while case let rest = tail.read(limit: 3000).bytes, !rest.isEmpty { bytes += rest }
            let expected = (0..<40_000).map { "\($0)\n" }.joined()
            #expect(String(decoding: bytes, as: UTF8.self) == expected)
            #expect(FileManager.default.fileExists(atPath: directory + "/stdout.1"))
        }
    }

    @Test func aReaderThatFallsBehindIsToldHowMuchIsGone() async throws {
        try await withDirectory { directory in
            let (launcher, started) = try start("seq 1 30000", in: directory, limit: 10_000)
            try await launcher.waitForExit(started)
            let whole = Array((1...30_000).map { "\($0)\n" }.joined().utf8)
            var tail = LogTail(path: directory + "/stdout", position: 5)
            var read: [UInt8] = []
            var missing: Int64 = 0
            while case let piece = tail.read(limit: 1000), !piece.bytes.isEmpty {
                missing += piece.missing
                read += piece.bytes
            }
            #expect(missing > 0)
            #expect(5 + missing + Int64(read.count) == Int64(whole.count))
            #expect(read.elementsEqual(whole.suffix(read.count)))
            // Where it begins in the whole is known to whoever comes later, too.
            var last = LogTail(path: directory + "/stdout", position: Int64(whole.count) - 6)
            #expect(last.read(limit: 100).bytes == Array("30000\n".utf8))
            var end = LogTail(path: directory + "/stdout")
            end.skipToLast(12)
            #expect(end.read(limit: 100).bytes == Array("29999\n30000\n".utf8))
            var beyond = LogTail(path: directory + "/stdout", position: .max)
            #expect(beyond.read(limit: 100) == LogTail.Piece())
            #expect(beyond.position == Int64(whole.count))
        }
    }

    @Test func aRotationThatWasCutOffLosesNobodysPlace() async throws {
        try await withDirectory { directory in
            let log = directory + "/stdout"
            func inode(_ path: String) throws -> UInt64 {
                try #require(try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? UInt64)
            }
            try append(Array("0123456789".utf8), to: log + ".1")
            try append(Array("abcde".utf8), to: log)
            try "\(inode(log + ".1")) 100\n".write(toFile: log + ".base", atomically: true, encoding: .utf8)
            func rest(from position: Int64) -> String {
                var tail = LogTail(path: log, position: position)
                return String(decoding: tail.read(limit: 100).bytes, as: UTF8.self)
            }
            #expect(rest(from: 103) == "3456789abcde")
            #expect(rest(from: 112) == "cde")
            // What the supervisor does, and killed after each step.
            try "\(inode(log)) 110\n\(inode(log + ".1")) 100\n".write(
                toFile: log + ".base", atomically: true, encoding: .utf8)
            #expect(rest(from: 103) == "3456789abcde")
            try FileManager.default.removeItem(atPath: log + ".1")
            try FileManager.default.moveItem(atPath: log, toPath: log + ".1")
            #expect(rest(from: 112) == "cde")
            #expect(rest(from: 115) == "")
            try append(Array("xyz".utf8), to: log)
            #expect(rest(from: 112) == "cdexyz")
            #expect(rest(from: 116) == "yz")
        }
    }

    @Test func textNeverEndsInsideACharacter() async throws {
        try await withDirectory { directory in
            let path = directory + "/stdout"
            let text = Array("aé€😀".utf8)
            var tail = LogTail(path: path)
            var read: [UInt8] = []
            for byte in text {
                try append([byte], to: path)
                let piece = tail.readText(limit: 64, atEnd: false).bytes
                #expect(String(validating: piece, as: UTF8.self) != nil)
                read += piece
            }
            #expect(read == text)
            // Bytes that never become a character come at the end, not never.
            try append([0xE2, 0x82], to: path)
            #expect(tail.readText(limit: 64, atEnd: false).bytes.isEmpty)
            #expect(tail.readText(limit: 64, atEnd: true).bytes == [0xE2, 0x82])
        }
    }

    @Test func lastWordsAreTheJobsOwn() async throws {
        try await withDirectory { directory in
            let path = directory + "/stderr"
            #expect(LastWords.read(path) == nil)
            try append(Array("Traceback\nKeyError: 1\n\nmld: 6 s left of the time limit of 1 min\n".utf8), to: path)
            #expect(LastWords.read(path) == "KeyError: 1")
        }
    }
}
