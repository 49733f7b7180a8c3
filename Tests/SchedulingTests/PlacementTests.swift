import JobAPI
import TestSupport
import Testing

@testable import Scheduling

/// `sockets` nodes of so many cores each, with so many threads; threads of a core are numbered as on most machines, the
/// second ones after all the first.
private func machine(
    nodes: Int, cores: Int, threads: Int = 1, gpusPerNode: Int = 0, step: Int = 1
) -> MachineLayout {
    var cpus: [MachineLayout.CPU] = []
    for thread in 0..<threads {
        for core in 0..<(nodes * cores) {
            cpus.append(.init(number: (thread * nodes * cores + core) * step, core: core * step, node: core / cores))
        }
    }
    let gpus = (0..<(nodes * gpusPerNode)).map {
        MachineLayout.GPU(index: $0, vendor: .nvidia, id: "gpu-\($0)", node: $0 / max(1, gpusPerNode))
    }
    return MachineLayout(cpus: cpus, gpus: gpus)
}

private func held(_ cpus: [Int]) -> Placement { Placement(cpus: cpus) }

@Suite struct PlacementTests {
    @Test func wholeCoresComeFirstAndTheirThreadsTogether() {
        let layout = machine(nodes: 1, cores: 4, threads: 2)
        #expect(layout.choose(cpus: 2, taken: [])?.cpus == [0, 4])
        #expect(layout.choose(cpus: 3, taken: [])?.cpus == [0, 1, 4])
        // The threads beside other jobs are the last.
        #expect(layout.choose(cpus: 1, taken: [held([0])])?.cpus == [1])
        #expect(layout.choose(cpus: 2, taken: [held([0]), held([1])])?.cpus == [2, 6])
        #expect(layout.choose(cpus: 2, taken: [held([0]), held([1]), held([2]), held([3])])?.cpus == [4, 5])
    }

    @Test func aJobStaysOnTheNodeThatItFillsBest() {
        let layout = machine(nodes: 3, cores: 4)
        #expect(layout.choose(cpus: 2, taken: [])?.nodes == [0])
        // Node 1 has two left, which is just enough.
        #expect(layout.choose(cpus: 2, taken: [held([0]), held([4, 5])])?.cpus == [6, 7])
        #expect(layout.choose(cpus: 4, taken: [held([0]), held([4, 5])])?.cpus == [8, 9, 10, 11])
    }

    /// Of a node with enough threads, but only beside another job, and one with whole cores, the second.
    @Test func aNodeWithWholeCoresIsBetterThanAFullerOne() {
        let layout = machine(nodes: 2, cores: 2, threads: 2)
        #expect(layout.choose(cpus: 1, taken: [held([0]), held([1])])?.cpus == [2])
    }

    @Test func whatNoNodeHoldsGoesToTheFewest() {
        let layout = machine(nodes: 4, cores: 4)
        // 3, 1, 2 and 4 free: six are 4 and 2.
        let taken = [held([0]), held([4, 5, 6]), held([8, 9])]
        #expect(layout.choose(cpus: 6, taken: taken)?.nodes == [2, 3])
        #expect(layout.choose(cpus: 7, taken: taken)?.nodes == [0, 3])
        #expect(layout.choose(cpus: 10, taken: taken)?.nodes == [0, 1, 2, 3])
        #expect(layout.choose(cpus: 11, taken: taken) == nil)
    }

    /// Two sockets of which each has every other CPU in use.
    @Test func onFragmentedSocketsAJobStillGetsOneIfItFits() {
        let layout = machine(nodes: 2, cores: 8)
        let taken = [held([0, 2, 4, 6, 8, 10, 12])]
        #expect(layout.choose(cpus: 5, taken: taken)?.cpus == [9, 11, 13, 14, 15])
        #expect(layout.choose(cpus: 4, taken: taken)?.cpus == [1, 3, 5, 7])
        #expect(layout.choose(cpus: 6, taken: taken)?.nodes == [0, 1])
        #expect(layout.choose(cpus: 10, taken: taken) == nil)
    }

    @Test func CPUsFollowTheGPUs() {
        let layout = machine(nodes: 2, cores: 4, gpusPerNode: 2)
        let placement = layout.choose(cpus: 2, beside: [layout.gpus[2]], taken: [held([0]), held([1])])
        #expect(placement?.gpus == [.init(index: 2, id: "gpu-2")])
        #expect(placement?.cpus == [4, 5])
        // The node of the card first, and as much of it as there is.
        let taken = [held([0, 1, 2]), held([4])]
        #expect(layout.choose(cpus: 4, beside: [layout.gpus[1]], taken: taken)?.cpus == [3, 5, 6, 7])
        #expect(layout.freeCPUs(taken: taken) == [0: 1, 1: 3])
    }

    @Test func theLowestCoresAreLeftToTheSystem() {
        let layout = machine(nodes: 1, cores: 4, threads: 2)
        // One of the two threads of core 0: the other is given only after all whole cores.
        #expect(layout.choose(cpus: 6, taken: [], reserve: 1)?.cpus == [1, 2, 3, 5, 6, 7])
        #expect(layout.choose(cpus: 7, taken: [], reserve: 1)?.cpus == [1, 2, 3, 4, 5, 6, 7])
        #expect(layout.choose(cpus: 3, taken: [], reserve: 2)?.cpus == [1, 2, 5])
        // Nothing else is left.
        #expect(layout.choose(cpus: 8, taken: [], reserve: 2)?.cpus == Array(0..<8))
        #expect(layout.choose(cpus: 1, taken: [held([1, 2, 3, 5, 6, 7])], reserve: 2)?.cpus == [0])
    }

    @Test func aPlacementIsSaidInOneLine() {
        #expect(
            Placement(cpus: [2, 3], nodes: [0], gpus: [.init(index: 1, id: "x")]).description
                == "cpus 2-3 (node 0), gpu 1")
        #expect(Placement(cpus: [0, 2, 3, 9], nodes: [0, 1]).description == "cpus 0,2-3,9 (nodes 0-1)")
        #expect(Placement(cpus: [7], nodes: [3]).description == "cpu 7 (node 3)")
    }
}

@Suite struct PlacementPropertyTests {
    /// Random jobs come and go on random machines.
    @Test(arguments: Array(1...40) as [UInt64])
    func nothingIsGivenTwiceAndNodesAreKeptTo(seed: UInt64) throws {
        var random = Seeded(seed)
        let layout = machine(
            nodes: Int.random(in: 1...4, using: &random), cores: Int.random(in: 1...6, using: &random),
            threads: Int.random(in: 1...2, using: &random),
            step: Int.random(in: 1...3, using: &random))
        let reserve = Int.random(in: 0...2, using: &random)
        let reserved = Set(
            Dictionary(grouping: layout.cpus, by: \.core).values.sorted { $0[0].number < $1[0].number }.joined()
                .prefix(reserve).map(\.number))
        var jobs: [Placement] = []
        var kept = 0
        for _ in 0..<200 {
            if !jobs.isEmpty, Int.random(in: 0..<3, using: &random) == 0 {
                jobs.remove(at: Int.random(in: jobs.indices, using: &random))
                continue
            }
            let wanted = Int.random(in: 1...8, using: &random)
            let usedCPUs = Set(jobs.flatMap(\.cpus))
            let free = layout.cpus.filter { !usedCPUs.contains($0.number) }
            let chosen = layout.choose(cpus: wanted, taken: jobs, reserve: reserve)
            #expect(chosen == layout.choose(cpus: wanted, taken: jobs.shuffled(using: &random), reserve: reserve))
            guard wanted <= free.count else {
                #expect(chosen == nil)
                continue
            }
            let placement = try #require(chosen)
            #expect(Set(placement.cpus).count == wanted)
            #expect(usedCPUs.isDisjoint(with: placement.cpus))
            let numbers = Set(placement.cpus)
            let cpus = layout.cpus.filter { numbers.contains($0.number) }
            #expect(cpus.map(\.number) == placement.cpus)
            #expect(Set(cpus.map(\.node)).sorted() == placement.nodes)
            let open = free.filter { !reserved.contains($0.number) }
            if open.count >= wanted {
                #expect(reserved.isDisjoint(with: placement.cpus))
                let fullest = Dictionary(grouping: open, by: \.node).values.map(\.count).max() ?? 0
                if fullest >= wanted {
                    #expect(placement.nodes.count == 1)
                    kept += 1
                }
            }
            if placement.nodes.count == 1, open.count >= wanted {
                let cores = Dictionary(grouping: layout.cpus.filter { $0.node == placement.nodes[0] }, by: \.core)
                let used = usedCPUs.union(reserved)
                let shared = cores.values.filter { core in
                    core.contains { numbers.contains($0.number) } && core.contains { used.contains($0.number) }
                }
                let isWholeLeft = cores.values.contains { core in
                    core.allSatisfy { !numbers.contains($0.number) && !used.contains($0.number) }
                }
                #expect(shared.isEmpty || !isWholeLeft, "a core was shared while another was free")
            }
            jobs.append(placement)
        }
        // Where all CPUs are the system's there is nothing to show.
        #expect(kept > 0 || reserved.count == layout.cpus.count, "no job fitted on one node: the test shows nothing")
    }
}
