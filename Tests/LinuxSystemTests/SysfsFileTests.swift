import FoundationEssentials
import Glibc
import LinuxSystem
import Testing

@Suite struct SysfsFileTests {
    @Test func aNumberIsReadAndNonsenseIsGarbage() throws {
        let tree = try SmallTree()
        try tree.write("counter", "  18446744073709551615\n")
        #expect(try SystemFile.integer(tree.directory + "/counter") == .max)
        for text in ["", " \n", "x", "-1", "1 2", "18446744073709551616", "0x10"] {
            try tree.write("counter", text)
            let error = #expect(throws: SystemFileError.self) {
                try SystemFile.integer(tree.directory + "/counter")
            }
            #expect(error?.kind == .garbage)
        }
    }

    @Test func whatIsMissingIsToldFromWhatIsClosedAndWhatIsNonsense() throws {
        let tree = try SmallTree()
        func kind(_ name: String) -> SystemFileError.Kind? {
            #expect(throws: SystemFileError.self) { try SystemFile.text(tree.directory + "/" + name) }?.kind
        }
        #expect(kind("absent") == .missing)
        try tree.write("file", "text")
        #expect(kind("file/below") == .missing)
        try tree.write("folder/file", "text")
        #expect(kind("folder") == .garbage)
        try tree.write("binary", bytes: [0xff, 0xfe])
        #expect(kind("binary") == .garbage)
        try tree.write("long", String(repeating: "x", count: 4097))
        #expect(kind("long") == .garbage)
    }

    // Root may read everything; the difference is only there for others.
    @Test(.enabled(if: getuid() != 0, "needs a user other than root"))
    func aFileForRootOnlyIsUnreadable() throws {
        let tree = try SmallTree()
        try tree.write("closed", "1")
        chmod(tree.directory + "/closed", 0)
        let error = #expect(throws: SystemFileError.self) { try SystemFile.text(tree.directory + "/closed") }
        #expect(error?.kind == .unreadable)
    }

    @Test func aPipeOrADeviceInTheTreeIsRefusedAtOnce() throws {
        let tree = try SmallTree()
        mkfifo(tree.directory + "/pipe", 0o600)
        symlink("/dev/zero", tree.directory + "/zero")
        for name in ["pipe", "zero"] {
            let error = #expect(throws: SystemFileError.self) { try SystemFile.text(tree.directory + "/" + name) }
            #expect(error?.kind == .garbage)
        }
    }

    @Test func aLongFileIsCutAtAWholeLine() throws {
        let tree = try SmallTree()
        try tree.write("lines", "one\ntwo\nthree\n")
        let path = tree.directory + "/lines"
        #expect(try SystemFile.firstLines(path, limit: 10) == "one\ntwo")
        #expect(try SystemFile.firstLines(path, limit: 100) == "one\ntwo\nthree\n")
    }

    @Test func namesAreSortedAndAMissingDirectoryIsSaid() throws {
        let tree = try SmallTree()
        try tree.write("b", "")
        try tree.write("a", "")
        #expect(try SystemFile.names(in: tree.directory) == ["a", "b"])
        let error = #expect(throws: SystemFileError.self) { try SystemFile.names(in: tree.directory + "/no") }
        #expect(error?.kind == .missing)
    }
}

/// A directory of files made by hand; removed with the object.
final class SmallTree {
    let directory: String

    init() throws {
        let parent = FileManager.default.temporaryDirectory.path(percentEncoded: false)
        directory = parent + "/mld-tree-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func write(_ path: String, _ text: String) throws { try write(path, bytes: Array(text.utf8)) }

    func write(_ path: String, bytes: [UInt8]) throws {
        let url = URL(filePath: directory + "/" + path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }
}
