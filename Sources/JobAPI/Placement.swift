/// Which CPUs and GPUs of the machine one job holds.
package struct Placement: Codable, Hashable, Sendable {
    package struct GPU: Codable, Hashable, Sendable {
        /// Its number among the GPUs mld grants, as people say it.
        package var index: Int
        /// The name of its power domain. Unlike the number it means the same card after a restart.
        package var id: String
        /// Whether others may have it too, as it was given; nil in records of releases that did not say.
        package var shared: Bool?

        package init(index: Int, id: String, shared: Bool? = nil) {
            self.index = index
            self.id = id
            self.shared = shared
        }
    }

    /// The kernel's numbers, rising.
    package var cpus: [Int]
    /// The memory nodes of these CPUs, rising.
    package var nodes: [Int]
    package var gpus: [GPU]

    package init(cpus: [Int], nodes: [Int] = [], gpus: [GPU] = []) {
        self.cpus = cpus
        self.nodes = nodes
        self.gpus = gpus
    }

    /// How its GPUs were given: another policy may share what it does not, or not share what it does.
    package mutating func give(shared: Bool) {
        for index in gpus.indices { gpus[index].shared = shared }
    }
}

extension Placement: CustomStringConvertible {
    /// `cpus 2-3 (node 0), gpu 1`.
    package var description: String {
        var text = (cpus.count == 1 ? "cpu " : "cpus ") + numberList(cpus)
        if !nodes.isEmpty { text += (nodes.count == 1 ? " (node " : " (nodes ") + numberList(nodes) + ")" }
        if !gpus.isEmpty { text += (gpus.count == 1 ? ", gpu " : ", gpus ") + numberList(gpus.map(\.index)) }
        return text
    }
}

/// Numbers as the kernel writes lists of CPUs: `0-3,8`.
package func numberList(_ numbers: [Int]) -> String {
    var runs: [(first: Int, last: Int)] = []
    for number in numbers.sorted() {
        if let run = runs.last, number <= run.last + 1 {
            runs[runs.count - 1].last = number
        } else {
            runs.append((number, number))
        }
    }
    return runs.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }.joined(separator: ",")
}
