import Glibc
import LinuxSystem
import Testing

@Suite struct ProcStatTests {
    @Test func theTimesOfTheMachineAreSummed() throws {
        let text = """
            cpu  100 10 50 1000 20 3 2 7 40 0
            cpu0 50 5 25 500 10 2 1 4 20 0
            cpu1 50 5 25 500 10 1 1 3 20 0
            intr 12345
            """
        let stat = try ProcStat(parsing: text, path: "stat")
        #expect(stat.cpus == 2)
        // 165 ticks of 10 ms; the 40 of guests are in the first 100 already.
        #expect(stat.busySeconds == 1.65)
        #expect(stat.idleSeconds == 10.2 && stat.iowaitSeconds == 0.2 && stat.stealSeconds == 0.07)
    }

    @Test func anOldKernelWithFewerColumnsIsRead() throws {
        let stat = try ProcStat(parsing: "cpu 100 0 0 100\ncpu0 100 0 0 100", path: "stat")
        #expect(stat.busySeconds == 1 && stat.stealSeconds == 0)
    }

    @Test(arguments: [
        "", "cpu", "cpu 1 2 3\ncpu0 1 2 3", "cpu a b c d\ncpu0 1", "cpu -1 2 3 4\ncpu0 1", "cpu 1 2 3 4\n",
        "cpu 99999999999999999999 0 0 0\ncpu0 0", "intr 5", "\n\n",
    ])
    func garbageIsRefused(text: String) {
        let error = #expect(throws: SystemFileError.self) { try ProcStat(parsing: text, path: "stat") }
        #expect(error?.kind == .garbage)
    }

    @Test func thisMachineHasARunningClock() throws {
        let stat = try ProcStat(roots: SystemRoots())
        #expect(stat.cpus >= 1 && stat.idleSeconds + stat.busySeconds > 0)
        #expect(CPUTopology.usableCPUs() >= 1)
        #expect(try OwnCPUTime.seconds(roots: SystemRoots()) > 0)
        let before = SystemClock.monotonicNanoseconds()
        #expect(SystemClock.monotonicNanoseconds() >= before)
    }

    @Test func theProcessorsTimesOfAReplacedTreeComeFromThatTree() throws {
        let tree = try SmallTree()
        let roots = SystemRoots(procfs: tree.directory)
        let error = #expect(throws: SystemFileError.self) { try OwnCPUTime.seconds(roots: roots) }
        #expect(error?.kind == .missing)
        try tree.write("self/stat", "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0\n")
        #expect(try OwnCPUTime.seconds(roots: roots) == 3)
        try tree.write("self/stat", "nothing of the kind")
        #expect(throws: SystemFileError.self) { try OwnCPUTime.seconds(roots: roots) }
    }

    @Test func theMemoryIsRead() throws {
        let info = try MemoryInfo(parsing: "MemTotal:  16 kB\nMemFree: 3 kB\nMemAvailable:   4 kB\n", path: "meminfo")
        #expect(info.totalBytes == 16384 && info.availableBytes == 4096)
        for text in ["", "MemTotal: 0 kB", "MemTotal: -5 kB", "MemTotal: 9999999999999999999 kB", "MemTotal: 5"] {
            #expect(throws: SystemFileError.self) { try MemoryInfo(parsing: text, path: "meminfo") }
        }
        #expect(try MemoryInfo(roots: SystemRoots()).totalBytes > 0)
    }

    @Test func theProcessorIsIdentified() {
        let intel = CPUIdentity(
            parsing: "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\n"
                + "model name\t: Intel(R) Xeon(R): odd\nstepping\t: x\n\nprocessor\t: 1\nstepping\t: 3\n")
        #expect(intel.vendor == "GenuineIntel" && intel.family == 6 && intel.model == 85)
        #expect(intel.modelName == "Intel(R) Xeon(R): odd" && intel.stepping == nil)
        let arm = CPUIdentity(parsing: "processor : 0\nCPU implementer : 0x41\nCPU part : 0xd0c\n")
        #expect(arm.armImplementer == 0x41 && arm.armPart == 0xd0c && arm.modelName.isEmpty)
        #expect(CPUIdentity(parsing: "\u{0}\u{7f}: :::\n\n") == CPUIdentity())
    }
}
