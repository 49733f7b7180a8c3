import Foundation
import JobAPI
import JobClient
import Testing

@testable import Daemon

/// What a job left in its output directory.
@Suite(.timeLimit(.minutes(2))) struct OutputFilesTests {
    @Test func regularFilesAreListedAndNothingElse() async throws {
        let directory = "/tmp/mldt-output-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let deep = directory + "/" + (1...9).map { "d\($0)" }.joined(separator: "/")
        try FileManager.default.createDirectory(atPath: deep, withIntermediateDirectories: true)
        func put(_ name: String, _ bytes: Int) throws {
            try Data(count: bytes).write(to: URL(fileURLWithPath: directory + "/" + name))
        }
        try put("b", 3)
        try put(".hidden", 5)
        try put("d1/a", 0)
        try put("d1/d2/d3/d4/d5/d6/d7/at-eight", 1)
        try put("d1/d2/d3/d4/d5/d6/d7/d8/too-deep", 1)
        try FileManager.default.createSymbolicLink(atPath: directory + "/link", withDestinationPath: "/etc/passwd")
        try FileManager.default.createSymbolicLink(atPath: directory + "/folder", withDestinationPath: "/etc")
        #expect(mkfifo(directory + "/pipe", 0o600) == 0)
        let listing = await OutputFiles.list(directory)
        #expect(listing.leftOut == "of its output 4 files are listed, more are there")
        #expect(
            listing.files
                == [(".hidden", 5), ("b", 3), ("d1/a", 0), ("d1/d2/d3/d4/d5/d6/d7/at-eight", 1)].map {
                    Artifact(kind: "output", path: directory + "/" + $0.0, bytes: $0.1)
                })
        #expect(await OutputFiles.list(directory + "/folder") == OutputFiles.Listing())
        #expect(await OutputFiles.list(directory + "/none") == OutputFiles.Listing())
        for number in 0..<(OutputFiles.maximumFiles + 10) { try put("many\(number)", 0) }
        let cut = await OutputFiles.list(directory)
        #expect(cut.files.count == OutputFiles.maximumFiles)
        #expect(cut.leftOut == "of its output 1000 files are listed, more are there")
    }

    @Test func namesThatAreNoTextAreCounted() async throws {
        let directory = "/tmp/mldt-output-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for name in ["a", "b\u{00FF}"] {
            // Latin-1: the second is no UTF-8.
            let bytes = (directory + "/" + name).unicodeScalars.map { CChar(truncatingIfNeeded: $0.value) } + [0]
            let file = open(bytes, O_WRONLY | O_CREAT, 0o600)
            try #require(file >= 0)
            close(file)
        }
        let listing = await OutputFiles.list(directory)
        #expect(listing.files == [Artifact(kind: "output", path: directory + "/a", bytes: 0)])
        #expect(listing.leftOut == "1 of its output is not listed: the name is no UTF-8")
        unlink((directory + "/b").utf8CString.dropLast() + [CChar(bitPattern: 0xFF), 0])
    }

    @Test func whatIsNotListedIsToldOf() async throws {
        try await RunningDaemon.with { daemon in
            let id = try await daemon.submit(["sh", "-c", "cd $MLD_OUTPUT_DIR; touch a $(printf 'b\\377'); exit 3"])
            let job = try await daemon.ended(id).job
            #expect(
                job.reason == "exited with status 3; 1 of its output is not listed: the name is no UTF-8",
                "\(job.reason)")
        }
    }

    @Test func theyAreKeptOnceBesideWhatTheJobReported() async throws {
        try await RunningDaemon.with { daemon in
            let script = """
                mkdir "$MLD_OUTPUT_DIR/sub"; printf 12345 >"$MLD_OUTPUT_DIR/sub/five"; printf 123 >"$MLD_OUTPUT_DIR/model"
                echo "{\\"event\\": \\"artifact\\", \\"kind\\": \\"model\\", \\"path\\": \\"$MLD_OUTPUT_DIR/model\\"}" >&$MLD_EVENTS_FD
                """
            let id = try await daemon.submit(["sh", "-c", script])
            let output = daemon.state + "/jobs/\(id)/output"
            let expected = [
                Artifact(kind: "model", path: output + "/model", bytes: 3),
                Artifact(kind: "output", path: output + "/sub/five", bytes: 5),
            ]
            #expect(try await daemon.ended(id).artifacts == expected)
            #expect(try daemon.mlctl("show", "\(id)").out.contains("output  \(output)/sub/five  (5 B)"))
            await daemon.stop()
            try await daemon.start()
            #expect(try await daemon.client { try await $0.job(id) }.artifacts == expected)
        }
    }

    @Test func aJobThatUsesTooMuchMemoryIsOutOfMemoryAndSaysSo() async throws {
        try await RunningDaemon.with { daemon in
            let script = """
                import os, time
                os.write(int(os.environ["MLD_EVENTS_FD"]), b'{"event": "progress", "epoch": 3, "step": 812}\\n')
                for _ in range(4):
                    if os.fork() == 0:
                        held = bytearray(os.urandom(1)) * (40 << 20)
                        time.sleep(1000)
                time.sleep(1000)
                """
            let id = try await daemon.submit(["python3", "-c", script])
            let detail = try await daemon.ended(id)
            #expect(detail.job.state == .outOfMemory)
            #expect(detail.job.reason.hasPrefix("killed: used "))
            #expect(
                detail.job.reason.hasSuffix(
                    " of 64.0 MiB at step 812 of epoch 3; ask for more with [resources] memory"))
            #expect(try await daemon.logs(id, .stderr).hasPrefix("mld: killed: the job used "))
        }
    }
}
