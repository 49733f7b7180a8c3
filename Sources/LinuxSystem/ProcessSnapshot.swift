import Synchronization

/// The processes at one moment, read when somebody first asks: one look at all of `/proc`, however many ask.
package final class ProcessSnapshot: Sendable {
    private let table: ProcessTable
    private let tree = Mutex<ProcessTree?>(nil)

    package init(_ table: ProcessTable = ProcessTable()) {
        self.table = table
    }

    /// This very process and all its living descendants; empty if it has ended.
    package func tree(of root: Int32, startTime: UInt64) -> [Int32] {
        tree.withLock { tree in
            let read = tree ?? ProcessTree((try? table.all()) ?? [])
            tree = read
            guard let first = read.processes[root], first.startTime == startTime else { return [] }
            return read.from(root).map(\.pid)
        }
    }

    /// CPU time of this very process and all its descendants, living and ended, in seconds; nil if it has ended or nothing can
    /// be read. A child that was not waited for loses its time with the process that ought to have: a cgroup counts better.
    package func treeSeconds(of root: Int32, startTime: UInt64) -> Double? {
        tree.withLock { tree in
            // What cannot be read now the next reading catches up with.
            let read = tree ?? ProcessTree((try? table.all()) ?? [])
            tree = read
            guard let first = read.processes[root], first.startTime == startTime, !first.hasEnded else { return nil }
            return read.seconds(of: root)
        }
    }
}

/// Who started whom.
struct ProcessTree: Sendable {
    let processes: [Int32: ProcessStatus]
    private let children: [Int32: [ProcessStatus]]

    init(_ all: [ProcessStatus]) {
        // A pid that is used again while the table is read may be there twice.
        processes = Dictionary(all.map { ($0.pid, $0) }) { $1 }
        children = Dictionary(grouping: all, by: \.parent)
    }

    /// The process and everything it started that still lives, itself first.
    func from(_ root: Int32) -> [ProcessStatus] {
        guard let first = processes[root] else { return [] }
        var found = [first]
        var seen: Set<Int32> = [root]
        var next = 0
        while next < found.count {
            for child in children[found[next].pid] ?? [] where seen.insert(child.pid).inserted { found.append(child) }
            next += 1
        }
        return found
    }

    func seconds(of root: Int32) -> Double {
        from(root).reduce(0) { $0 + $1.cpuSeconds + $1.endedChildrenSeconds }
    }
}
