package import Policy
package import Units

/// What of a machine can be given to jobs, piece by piece, and which pieces are near to each other.
package struct MachineLayout: Hashable, Sendable {
    /// What the kernel calls a CPU: one hardware thread of a core.
    package struct CPU: Hashable, Sendable {
        package var number: Int
        /// The same of all threads of one core.
        package var core: Int
        /// The memory node (NUMA) it is near to.
        package var node: Int

        package init(number: Int, core: Int, node: Int = 0) {
            self.number = number
            self.core = core
            self.node = node
        }
    }

    package struct GPU: Hashable, Sendable {
        package enum Vendor: String, Hashable, Sendable, CaseIterable { case nvidia, amd }

        package var index: Int
        package var vendor: Vendor
        /// The name of its power domain: the same after a restart.
        package var id: String
        /// For people.
        package var name: String
        /// What jobs ask for it by.
        package var model: String
        /// Its own memory; nil where its driver does not say.
        package var memory: ByteSize?
        /// Nil where the machine does not say.
        package var node: Int?
        /// What its driver lets it draw at most, in watts; nil where that is not told.
        package var powerLimit: Double?
        /// What its driver's `*_VISIBLE_DEVICES` calls it.
        package var visibleName: String
        /// Device nodes of this card alone; without them it cannot be used.
        package var devices: [String]
        /// Device nodes of its driver, which every job with such a card needs, as far as they are there.
        package var sharedDevices: [String]
        /// What of the kernel's file systems the driver's libraries read, as far as it is there.
        package var readable: [String]

        package init(
            index: Int, vendor: Vendor, id: String, name: String = "", model: String = "", memory: ByteSize? = nil,
            node: Int? = nil,
            powerLimit: Double? = nil, visibleName: String = "", devices: [String] = [], sharedDevices: [String] = [],
            readable: [String] = []
        ) {
            self.index = index
            self.vendor = vendor
            self.id = id
            self.name = name
            self.model = model
            self.memory = memory
            self.node = node
            self.powerLimit = powerLimit
            self.visibleName = visibleName
            self.devices = devices
            self.sharedDevices = sharedDevices
            self.readable = readable
        }
    }

    /// By rising number.
    package var cpus: [CPU]
    /// By rising index.
    package var gpus: [GPU]

    package init(cpus: [CPU], gpus: [GPU] = []) {
        self.cpus = cpus.sorted { $0.number < $1.number }
        self.gpus = gpus.sorted { $0.index < $1.index }
    }

    /// As the policy and the scheduler know its GPUs.
    package var cards: [MachineCapacity.Card] {
        gpus.map { MachineCapacity.Card(model: $0.model, vendor: $0.vendor.rawValue, memory: $0.memory, node: $0.node) }
    }

    /// CPUs 0 up to `count`, each a core of its own, on one node: where nothing more is known.
    package init(plain count: Int) {
        self.init(cpus: (0..<count).map { CPU(number: $0, core: $0) })
    }
}
