import LinuxSystem
import Testing

@Suite struct CPUPlacesTests {
    private func places(_ cpus: [Int], _ tree: borrowing SmallTree) -> [CPUPlace] {
        CPUTopology.places(of: cpus, roots: SystemRoots(sysfs: tree.directory))
    }

    private func write(_ tree: borrowing SmallTree, siblings: [String]) throws {
        for list in siblings {
            for cpu in try #require(CPUTopology.list(list)) {
                try tree.write("devices/system/cpu/cpu\(cpu)/topology/core_cpus_list", list + "\n")
            }
        }
    }

    @Test func twoSocketsWithTwoThreadsACore() throws {
        let tree = try SmallTree()
        try write(tree, siblings: ["0,4", "1,5", "2,6", "3,7"])
        try tree.write("devices/system/node/node0/cpulist", "0-1,4-5\n")
        try tree.write("devices/system/node/node1/cpulist", "2-3,6-7\n")
        try tree.write("devices/system/node/possible", "0-1\n")
        let places = places(Array(0..<8), tree)
        #expect(places.map(\.core) == [0, 1, 2, 3, 0, 1, 2, 3])
        #expect(places.map(\.node) == [0, 0, 1, 1, 0, 0, 1, 1])
    }

    /// CPUs 2 and 3 are offline, nodes 1 and 4 are not there, node 5 has memory alone.
    @Test func holesInTheNumbersAndOldNames() throws {
        let tree = try SmallTree()
        for (cpu, list) in [(0, "0-1"), (1, "0-1"), (6, "6"), (9, "8-9")] {
            try tree.write("devices/system/cpu/cpu\(cpu)/topology/thread_siblings_list", list + "\n")
        }
        for (node, list) in [(0, "0-1"), (2, "6"), (3, "8-9"), (5, "")] {
            try tree.write("devices/system/node/node\(node)/cpulist", list + "\n")
        }
        #expect(
            places([0, 1, 6, 9], tree) == [
                CPUPlace(number: 0, core: 0, node: 0), CPUPlace(number: 1, core: 0, node: 0),
                CPUPlace(number: 6, core: 6, node: 2), CPUPlace(number: 9, core: 8, node: 3),
            ])
    }

    @Test func whatATreeDoesNotSayIsTakenForThePlainest() throws {
        let tree = try SmallTree()
        let plain = [CPUPlace(number: 3, core: 3, node: 0)]
        #expect(places([3], tree) == plain)
        for nonsense in ["x", "7-6", "0-99999", "4,5"] {
            try tree.write("devices/system/cpu/cpu3/topology/core_cpus_list", nonsense)
            try tree.write("devices/system/node/node1/cpulist", nonsense)
            #expect(places([3], tree) == plain)
        }
    }

    @Test func theUsableOnesAreAsManyAsTheKernelCounts() {
        let numbers = CPUTopology.usableNumbers()
        #expect(numbers.count == CPUTopology.usableCPUs())
        #expect(numbers == Set(numbers).sorted())
    }
}
