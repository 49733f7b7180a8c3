import FoundationEssentials
import Glibc
import Testing

@testable import LinuxSystem

/// Files that stand in for a cgroup hierarchy, removed with the object.
private final class FakeCgroups {
    let root: String

    init() throws {
        var template = Array("/tmp/mld-cgroup-test.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw LinuxError("mkdtemp") }
        root = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        _ = try? ProcessSpawner.run("/bin/rm", arguments: ["-rf", root])
    }

    func write(_ text: String, to path: String) throws {
        let full = root + "/" + path
        let folder = String(full[..<(full.lastIndex(of: "/") ?? full.endIndex)])
        _ = try ProcessSpawner.run("/bin/mkdir", arguments: ["-p", folder])
        try Descriptor.open(full, O_WRONLY | O_CREAT | O_TRUNC).write(Array(text.utf8))
    }

    func text(_ path: String) throws -> String {
        String(decoding: try Descriptor.open(root + "/" + path, O_RDONLY).read(limit: 4096), as: UTF8.self)
    }
}

struct CgroupTests {
    @Test func theHierarchyIsFoundAlone() throws {
        let tree = try FakeCgroups()
        try tree.write("cpu memory\n", to: "cgroup/cgroup.controllers")
        try tree.write("0::/system.slice/mld.service\n", to: "proc/self/cgroup")
        let found = CgroupTree.find(cgroupfs: tree.root + "/cgroup", procfs: tree.root + "/proc")
        #expect(found == CgroupTree(mount: tree.root + "/cgroup", own: "/system.slice/mld.service"))
        #expect(found?.root.path == tree.root + "/cgroup/system.slice/mld.service")
    }

    @Test func theHierarchyIsFoundBesideVersionOne() throws {
        let tree = try FakeCgroups()
        try tree.write("", to: "cgroup/unified/cgroup.controllers")
        try tree.write("5:devices:/\n4:memory:/x/0::/trap\n0::/\n", to: "proc/self/cgroup")
        let found = CgroupTree.find(cgroupfs: tree.root + "/cgroup", procfs: tree.root + "/proc")
        #expect(found == CgroupTree(mount: tree.root + "/cgroup/unified", own: "/"))
        #expect(found?.root.path == tree.root + "/cgroup/unified")
        #expect(found?.controllers() == [])
    }

    @Test func noHierarchyIsNone() throws {
        let tree = try FakeCgroups()
        try tree.write("1:cpu:/\n", to: "proc/self/cgroup")
        #expect(CgroupTree.find(cgroupfs: tree.root, procfs: tree.root + "/proc") == nil)
        try tree.write("", to: "cgroup.controllers")
        #expect(CgroupTree.find(cgroupfs: tree.root, procfs: tree.root + "/proc") == nil)
    }

    @Test(arguments: [
        ("0::/a/b\n", "/a/b"), ("0::/../outside\n", nil), ("0::/\n", "/"), ("", nil), ("0::\n", nil), ("00::/a\n", nil),
    ])
    func ownPath(text: String, path: String?) {
        #expect(CgroupTree.ownPath(parsing: text) == path)
    }

    /// A process may be in a cgroup that somebody named to look like another.
    @Test(arguments: [
        ("0::/mld/jobs/7/job\n", "/mld/jobs/7/job"), ("9:cpu:/x\n0::/mld/jobs/70\n", "/mld/jobs/70"),
        ("1:name=0::/mld/jobs/7:/\n", nil), ("0::/mld/jobs/7/../8\n", nil), ("0::/\n", ""), ("\u{0}\u{fffd}", nil),
    ])
    func theCgroupOfAProcess(text: String, path: String?) throws {
        let tree = try FakeCgroups()
        try tree.write(text, to: "proc/31/cgroup")
        let table = ProcessTable(procfs: tree.root + "/proc")
        let cgroups = CgroupTree(mount: "/cg", own: "/mld")
        #expect(cgroups.cgroup(of: 31, in: table)?.path == path.map { "/cg" + $0 })
        #expect(cgroups.cgroup(of: 32, in: table) == nil && table.cgroupPath(of: -1) == nil)
    }

    @Test func aCgroupHoldsItselfAndWhatIsBelow() {
        let job = Cgroup(path: "/cg/jobs/7")
        #expect(job.contains(job) && job.contains(Cgroup(path: "/cg/jobs/7/job")))
        #expect(!job.contains(Cgroup(path: "/cg/jobs/70")) && !job.contains(Cgroup(path: "/cg/jobs")))
    }

    @Test func figuresAreRead() throws {
        let tree = try FakeCgroups()
        try tree.write("usage_usec 1234567\nuser_usec 1\nsystem_usec 2\n", to: "cpu.stat")
        try tree.write("populated 1\nfrozen 0\n", to: "cgroup.events")
        try tree.write("low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\n", to: "memory.events")
        let cgroup = Cgroup(path: tree.root)
        #expect(try cgroup.cpuMicroseconds() == 1_234_567)
        #expect(cgroup.isPopulated)
        #expect(!cgroup.isFrozen)
        #expect(cgroup.outOfMemoryKills == 1)
        #expect(cgroup.memoryBytes == nil)
    }

    @Test(arguments: ["", "usage_usec\n", "usage_usec -1\n", "usage_usec 12 34\n", "x usage_usec 1\n"])
    func aBrokenFigureIsAnErrorNotANumber(text: String) throws {
        let tree = try FakeCgroups()
        try tree.write(text, to: "cpu.stat")
        #expect(throws: LinuxError.self) { try Cgroup(path: tree.root).cpuMicroseconds() }
    }

    @Test func limitsGoWhereTheirControllerIs() throws {
        let tree = try FakeCgroups()
        for file in ["memory.max", "cpu.max", "cpu.weight"] { try tree.write("", to: file) }
        let result = Cgroup(path: tree.root).apply(
            CgroupLimits(memoryBytes: 1 << 30, processes: 100, cpus: 1.5, cpuWeight: 20_000))
        #expect(result.applied == ["memory.max", "cpu.max", "cpu.weight"])
        #expect(result.refused == ["pids.max": "this cgroup has no pids controller"])
        #expect(try tree.text("memory.max") == "1073741824")
        #expect(try tree.text("cpu.max") == "150000 100000")
        #expect(try tree.text("cpu.weight") == "10000")
    }

    @Test func aChildIsKeptToItsCPUs() throws {
        let tree = try FakeCgroups()
        let job = Cgroup(path: tree.root + "/1")
        try tree.write("", to: "1/cgroup.subtree_control")
        // No controller, no file: and nothing is claimed.
        #expect(throws: LinuxError.self) { try job.keep(child: "job", toCPUs: "2-3") }
        try tree.write("", to: "1/job/cpuset.cpus")
        try job.keep(child: "job", toCPUs: "2-3")
        #expect(try tree.text("1/cgroup.subtree_control") == "+cpuset")
        #expect(try tree.text("1/job/cpuset.cpus") == "2-3")
    }

    /// Where a tree of plain files stands in for the hierarchy, no cgroup can be had, and none is pretended.
    @Test func aPlainDirectoryIsNoCgroup() throws {
        let tree = try FakeCgroups()
        #expect(throws: LinuxError.self) { try Cgroup(path: tree.root + "/job").create() }
        #expect(access(tree.root + "/job", F_OK) != 0)
    }
}

/// On the machine's own hierarchy.
private let realJobs: Cgroup? = (try? CgroupTree.find()?.makeJobsDirectory())?.jobs

/// Needs the right to make a cgroup there: as root, or under a unit with Delegate=yes.
@Suite(.timeLimit(.minutes(1)), .enabled(if: realJobs != nil, "no cgroup v2 directory can be made here"))
struct RealCgroupTests {
    @Test func aProcessIsBornInItsCgroupFrozenAndKilled() async throws {
        let cgroup = try #require(realJobs).child("linux-system-test-\(getpid())")
        try cgroup.create()
        #expect(!cgroup.isPopulated)
        let null = try Descriptor.open("/dev/null", O_RDWR)
        let process = try ProcessSpawner.start(
            "/bin/sleep", arguments: ["100000"], environment: [:], descriptors: [null.raw, null.raw, null.raw],
            cgroup: cgroup)
        #expect(try cgroup.processes() == [process.pid])
        #expect(cgroup.isPopulated)
        #expect(throws: LinuxError.self) { try cgroup.create() }
        #expect(throws: LinuxError.self) { try cgroup.remove() }
        try cgroup.setFrozen(true)
        while !cgroup.isFrozen { try await Task.sleep(for: .milliseconds(1)) }
        try cgroup.kill()
        var status: Int32 = 0
        #expect(waitpid(process.pid, &status, 0) == process.pid)
        #expect(status & 0x7F == SIGKILL)
        #expect(try cgroup.cpuMicroseconds() > 0)
        while cgroup.isPopulated { try await Task.sleep(for: .milliseconds(1)) }
        try cgroup.remove()
        try cgroup.remove()
    }

    @Test(arguments: [
        ("usage_usec 1500\nuser_usec 5\n", 1500), ("nr_periods 0\nusage_usec 7\n", 7), ("usage_usec 7", 7),
        ("usage_usec x\n", nil), ("usage_usec \n", nil), ("", nil), ("other 5\n", nil),
        ("usage_usec 99999999999999999999999\n", nil),
    ])
    func theClockReadsWhatTheFileSays(text: String, microseconds: UInt64?) throws {
        let directory = FileManager.default.temporaryDirectory.path + "/mld-clock-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try Data(text.utf8).write(to: URL(filePath: directory + "/cpu.stat"))
        let clock = try CgroupCPUClock(Cgroup(path: directory))
        #expect(clock.microseconds() == microseconds)
    }
}
