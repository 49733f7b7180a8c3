import FoundationEssentials
@testable import LinuxSystem
import Testing

@Suite struct AtomicFileTests {
    @Test func aFileIsWrittenWholeAndReplaced() throws {
        try withDirectory { directory in
            let path = directory + "/a/b/file"
            try AtomicFile.makeDirectory(of: path)
            try AtomicFile.makeDirectory(of: path)
            try AtomicFile.checkWritable(path)
            for text in ["first, the longer one\n", "second\n"] {
                try AtomicFile.write(text, to: path)
                #expect(try SystemFile.text(path) == text)
            }
            #expect(try SystemFile.names(in: directory + "/a/b") == ["file"])
        }
    }

    @Test func aFailureLeavesNothingBehind() throws {
        try withDirectory { directory in
            // A directory that is not empty cannot be renamed over.
            try AtomicFile.makeDirectory(of: directory + "/taken/inner/")
            #expect(throws: LinuxError.self) { try AtomicFile.write("x", to: directory + "/taken") }
            #expect(throws: LinuxError.self) { try AtomicFile.write("x", to: directory + "/missing/file") }
            #expect(throws: LinuxError.self) { try AtomicFile.checkWritable(directory + "/missing/file") }
            #expect(try SystemFile.names(in: directory) == ["taken"])
        }
    }

    private func withDirectory(_ body: (String) throws -> Void) throws {
        let directory =
            FileManager.default.temporaryDirectory.path(percentEncoded: false)
            + "/mld-atomic-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(directory.replacing("//", with: "/"))
    }
}

@Suite struct DeadlineTests {
    private func shell(_ script: String, isCancelled: () -> Bool = { false }) throws -> ProcessSpawner.Output? {
        try ProcessSpawner.run(
            "/bin/sh", arguments: ["-c", script], environment: ["PATH": "/usr/bin:/bin"], seconds: 600,
            isCancelled: isCancelled)
    }

    @Test func theOutputAndTheStatusComeBack() throws {
        #expect(try shell("echo out; echo err >&2") == ProcessSpawner.Output(status: 0, text: "out\n"))
        #expect(try shell("exit 3")?.status == 3 << 8)
    }

    @Test func outputThatEndsBeforeTheProgramIsWaitedFor() throws {
        #expect(try shell("exec >&-; sleep 0.2; exit 4")?.status == 4 << 8)
    }

    @Test func whatHangsIsKilledWithItsChildren() throws {
        // Cancelled once the inner shell has said who it is: its process must be gone afterwards.
        var asked = 0
        let output = try shell("sleep 1000 & echo $! > /dev/null; wait") {
            asked += 1
            return asked > 3
        }
        #expect(output == nil)
        #expect(
            try ProcessSpawner.run(
                "/bin/sh", arguments: ["-c", "sleep 1000"], environment: ["PATH": "/usr/bin:/bin"], seconds: 0.05)
                == nil)
    }
}
