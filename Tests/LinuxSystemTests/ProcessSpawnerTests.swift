import Glibc
import Testing

@testable import LinuxSystem

@Suite(.timeLimit(.minutes(1)))
struct ProcessSpawnerTests {
    @Test func outputAndStatusComeBack() throws {
        let output = try ProcessSpawner.run(
            "/bin/sh", arguments: ["-c", "echo out; echo err >&2; echo $A; exit 3"], environment: ["A": "b c"])
        #expect(output.text == "out\nerr\nb c\n")
        #expect(output.status == 3 << 8)
    }

    @Test func whatPrintsTooMuchIsKilled() throws {
        let whole = try ProcessSpawner.run("/bin/sh", arguments: ["-c", "head -c 65536 /dev/zero"])
        #expect(whole.status == 0 && whole.bytes.count == 65536)
        let error = #expect(throws: LinuxError.self) { try ProcessSpawner.run("/usr/bin/yes", arguments: []) }
        #expect(error?.message == "printed more than 65536 bytes: killed")
    }

    @Test func theFailedStepIsNamed() {
        let error = #expect(throws: LinuxError.self) { try ProcessSpawner.run("/no/such/program", arguments: []) }
        #expect(error?.description == "execute /no/such/program: No such file or directory")
        let directory = #expect(throws: LinuxError.self) {
            try ProcessSpawner.start(
                "/bin/true", arguments: [], environment: [:], directory: "/no/such/directory", descriptors: []
            ).pid
        }
        #expect(directory?.stage == "chdir")
        let closed = #expect(throws: LinuxError.self) {
            try ProcessSpawner.start("/bin/true", arguments: [], environment: [:], descriptors: [1 << 20]).pid
        }
        #expect(closed?.stage == "dup")
        #expect(closed?.code == EBADF)
    }

    /// Descriptors may be given in any order, also each at the other's place.
    @Test func descriptorsArePlacedInOrder() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let reader = Descriptor(owning: ends[0])
        let pid: Int32
        do {
            let writer = Descriptor(owning: ends[1])
            let null = try Descriptor.open("/dev/null", O_RDWR)
            pid = try ProcessSpawner.start(
                "/bin/sh", arguments: ["-c", "echo five >&5; echo lost; echo one >&1; echo six 2>/dev/null >&6"],
                environment: [:], descriptors: [null.raw, null.raw, writer.raw, null.raw, null.raw, writer.raw]
            ).pid
        }
        #expect(String(decoding: try reader.read(limit: 4096), as: UTF8.self).hasPrefix("five\n"))
        var status: Int32 = 0
        #expect(waitpid(pid, &status, 0) == pid)
    }

    /// What the caller blocks, ignores or handles is not the program's.
    @Test func signalsStartFresh() throws {
        let output = try ProcessSpawner.run("/bin/cat", arguments: ["/proc/self/status"])
        let masks = output.text.split(separator: "\n").filter { line in
            ["SigBlk:", "SigIgn:", "SigCgt:"].contains { line.hasPrefix($0) }
        }.map { $0.split(separator: "\t").last ?? "" }
        #expect(masks == ["0000000000000000", "0000000000000000", "0000000000000000"])
    }

    @Test func aLockHasOneHolder() throws {
        let path = "/tmp/mld-lock-test-\(getpid())"
        defer { unlink(path) }
        let first = try Descriptor.open(path, O_RDWR | O_CREAT)
        #expect(try first.tryLock())
        let second = try Descriptor.open(path, O_RDWR)
        #expect(try !second.tryLock())
        close(first.release())
        // A process that another test starts right now holds a copy of every descriptor until its exec.
        var isTaken = false
        for _ in 0..<500 where !isTaken {
            isTaken = try second.tryLock()
            if !isTaken { usleep(10_000) }
        }
        #expect(isTaken)
    }
}
