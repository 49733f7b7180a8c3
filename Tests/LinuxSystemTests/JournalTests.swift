import Foundation
import TestSupport
import Testing

@testable import LinuxSystem

/// The journal's own words, to a socket that stands in for its.
@Suite struct JournalTests {
    @Test func oneLineIsAnAssignmentAndSeveralGoAfterTheirLength() {
        #expect(
            Journal.encoded([("MESSAGE", "hello"), ("PRIORITY", "6")]) == Array("MESSAGE=hello\nPRIORITY=6\n".utf8))
        let value = "first\nMLD_USER=root"
        let expected =
            Array("MLD_CAUSE\n".utf8) + [UInt8(value.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array("\(value)\n".utf8)
        #expect(Journal.encoded([("MLD_CAUSE", value)]) == expected)
    }

    @Test func anEntryIsOneDatagram() throws {
        let listener = try DatagramSocket()
        let journal = try #require(Journal(path: listener.path))
        #expect(journal.send([("MESSAGE", "one"), ("MLD_JOB_ID", "42")]))
        #expect(journal.send([("MESSAGE", "two")]))
        #expect(listener.next() == "MESSAGE=one\nMLD_JOB_ID=42\n")
        #expect(listener.next() == "MESSAGE=two\n")
        #expect(listener.next() == nil)
    }

    @Test func whatIsNotTakenIsSaid() throws {
        let path: String
        do {
            let listener = try DatagramSocket()
            path = listener.path
            let journal = try #require(Journal(path: path))
            #expect(!journal.send([("MESSAGE", String(repeating: "x", count: 70_000))]))
            // One that nobody empties is full at some time, and then nobody waits for it for long.
            let taken = (0..<10_000).prefix { _ in journal.send([("MESSAGE", String(repeating: "x", count: 4000))]) }
            #expect(taken.count < 10_000)
        }
        #expect(Journal(path: path) == nil)
    }

    @Test func onlyTheStreamThatSystemdNamesIsTheJournals() throws {
        let file = try Descriptor.memoryFile("stream", holding: [])
        var status = stat()
        #expect(fstat(file.raw, &status) == 0)
        #expect(Journal.takes(file.raw, stream: "\(status.st_dev):\(status.st_ino)"))
        // Somebody sent the output elsewhere, and the variable is still there.
        for other in ["\(status.st_dev):\(status.st_ino + 1)", "\(status.st_dev)", "", "a:b", "1:2:3", nil] {
            #expect(!Journal.takes(file.raw, stream: other))
        }
        #expect(!Journal.takes(-1, stream: "\(status.st_dev):\(status.st_ino)"))
    }
}
