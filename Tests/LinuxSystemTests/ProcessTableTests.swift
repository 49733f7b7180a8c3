import Glibc
import Testing

@testable import LinuxSystem

struct ProcessTableTests {
    private static func line(name: String = "sh", pid: Int = 7, parent: Int = 1, state: String = "S") -> String {
        "\(pid) (\(name)) \(state) \(parent) 7 7 0 -1 4194560 100 0 0 0 150 50 300 100 20 0 1 0 987654 2789376 200 0\n"
    }

    @Test func theFieldsAreRead() throws {
        let status = try #require(ProcessStatus(parsing: Self.line()))
        #expect(status.pid == 7)
        #expect(status.parent == 1)
        #expect(status.state == "S")
        #expect(status.startTime == 987_654)
        let second = Double(sysconf(Int32(_SC_CLK_TCK)))
        #expect(status.cpuSeconds == 200 / second)
        #expect(status.endedChildrenSeconds == 400 / second)
    }

    /// A process chooses its name, and may choose one that looks like the fields after it.
    @Test(arguments: ["a b", "(", ")", ") R 99 1 1 1", "x) Z 0 (y", "\n", "é"])
    func hostileNamesDoNotShiftTheFields(name: String) throws {
        let status = try #require(ProcessStatus(parsing: Self.line(name: name)))
        #expect(status.parent == 1)
        #expect(status.state == "S")
        #expect(status.startTime == 987_654)
    }

    @Test(arguments: [
        "", "7", "7 (sh)", "7 (sh) S 1", "x (sh) S 1", ")(", "7 (sh) S one 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
    ])
    func brokenLinesAreNone(text: String) {
        #expect(ProcessStatus(parsing: text) == nil)
    }

    @Test func thisProcessIsFound() throws {
        let table = ProcessTable()
        let own = try #require(table.status(of: getpid()))
        #expect(own.parent == getppid())
        #expect(table.isAlive(getpid(), startTime: own.startTime))
        #expect(!table.isAlive(getpid(), startTime: own.startTime + 1))
        #expect(table.status(of: 1 << 30) == nil)
    }

    @Test func aTreeIsItsDescendantsAlone() throws {
        var template = Array("/tmp/mld-proc-test.XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let root = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { _ = try? ProcessSpawner.run("/bin/rm", arguments: ["-rf", root]) }
        // 10 has 11 and 12, 12 has 13; 20 is another's. 30 claims to be its own parent; 40 lies about its pid.
        for (pid, parent) in [(10, 1), (11, 10), (12, 10), (13, 12), (20, 1), (30, 30)] {
            mkdir("\(root)/\(pid)", 0o755)
            try Descriptor.open("\(root)/\(pid)/stat", O_WRONLY | O_CREAT)
                .write(Array(Self.line(pid: pid, parent: parent).utf8))
        }
        mkdir("\(root)/40", 0o755)
        try Descriptor.open("\(root)/40/stat", O_WRONLY | O_CREAT).write(Array(Self.line(pid: 41, parent: 10).utf8))
        let table = ProcessTable(procfs: root)
        #expect(Set(try table.tree(of: 10).map(\.pid)) == [10, 11, 12, 13])
        #expect(try table.tree(of: 10).first?.pid == 10)
        #expect(try table.tree(of: 30).map(\.pid) == [30])
        let second = Double(sysconf(Int32(_SC_CLK_TCK)))
        #expect(ProcessSnapshot(table).treeSeconds(of: 10, startTime: 987_654) == 4 * 600 / second)
        #expect(ProcessSnapshot(table).treeSeconds(of: 10, startTime: 1) == nil)
        #expect(ProcessSnapshot(table).treeSeconds(of: 99, startTime: 987_654) == nil)
        #expect(throws: LinuxError.self) { try ProcessTable(procfs: root + "/none").all() }
    }
}
