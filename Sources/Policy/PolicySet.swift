package import ConfigFile
package import JobAPI
package import Units

/// The policy in force: every setting checked, each with the place it was set.
///
/// Made by ``load(files:)`` from the admin's files, or ``builtIn`` where there are none. Immutable in use: a reload makes
/// another one, and replaces this one only when that worked.
package struct PolicySet: Hashable, Sendable {
    package struct Machine: Hashable, Sendable {
        /// CPUs no job gets.
        package var reserveCpus: Setting<Int>
        /// Memory no job gets.
        package var reserveMemory: Setting<ByteSize>
        /// What the machine may draw in all; nil for no limit.
        package var powerCap = Setting<Power?>(nil)
        package var idlePower = Setting(IdlePower.observed)
        /// The lowest limit that is set on the processor for a job, and on each GPU; nil for what the hardware takes.
        package var cpuPowerFloor = Setting<Power?>(nil)
        package var gpuPowerFloor = Setting<Power?>(nil)
        package var gpuShare = Setting(GPUShare.off)
    }

    package struct Site: Hashable, Sendable {
        /// The electricity zone, such as `DE`; nil when nobody said.
        package var zone: Setting<String?>
        /// Power usage effectiveness: energy of the building over energy of the machine, at least 1.
        package var pue: Setting<Double>
        /// CO2e of making, moving and scrapping the machine, in kg; nil when nobody said.
        package var embodiedKg: Setting<Double?>
        /// Over how long that is spread.
        package var lifetime: Setting<Duration>
        /// Litres of water evaporated on the site per kWh of the machine.
        package var wue: Setting<Double?>
        /// Litres of water that making a kWh takes.
        package var ewif: Setting<Double?>
    }

    package struct Billing: Hashable, Sendable {
        /// Whether reserved hardware that idles is its holder's.
        package var basis: Setting<BillingBasis>
    }

    /// How long the ledger keeps what it has added up.
    package struct Keeping: Hashable, Sendable {
        package var minutes: Setting<Duration>
        package var hours: Setting<Duration>
    }

    package struct Queue: Hashable, Sendable {
        package var name: String
        package var priority: Setting<Int>
        /// The longest a job may run; nil for no limit.
        package var maxTime: Setting<Duration?>
        package var maxCpusPerJob: Setting<Int?>
        /// How long a job may stand still in all because its owner says so; nil for no limit.
        package var maxSuspended: Setting<Duration?>
        /// Where jobs go that name no queue; true of exactly one queue.
        package var isDefault: Setting<Bool>
        /// The name of the ``SandboxProfile`` its jobs run in.
        package var sandbox: Setting<String>
        package var deferral = QueueDefer()
        /// Whether its jobs may be stopped and started again; nil for what each says of itself.
        package var interruptible = Setting<Bool?>(nil)
        /// The queues whose jobs are put back where one of these would wait.
        package var preempts = Setting<[String]>([])
        package var powerLimit = Setting(PowerLimit.none)
        /// Whether its jobs may have GPUs together with others, where the machine shares them.
        package var gpuShare = Setting(true)
        /// The first line that defined it; nil when built in.
        package var source: RuleReference?
    }

    package struct Limits: Hashable, Sendable {
        package var maxQueuedPerUser: Setting<Int>
        /// Nil for no limit, as in all that follow.
        package var maxRunningPerUser: Setting<Int?>
        /// Of the jobs that run.
        package var maxCpusPerUser = Setting<Int?>(nil)
        package var maxGpusPerUser = Setting<Int?>(nil)
        package var maxQueuedPerProject = Setting<Int?>(nil)
        package var maxRunningPerProject = Setting<Int?>(nil)
        package var maxCpusPerProject = Setting<Int?>(nil)
        package var maxGpusPerProject = Setting<Int?>(nil)
    }

    package var notify = Notify()
    package var machine: Machine
    package var site: Site
    package var carbon = Carbon()
    package var fairShare = FairShare()
    /// In the order they were first written, as the budgets.
    package var reservations: [Reservation] = []
    package var budgets: [Budget] = []
    package var billing: Billing
    package var keeping: Keeping
    /// In the order they were first written.
    package var queues: [Queue]
    package var limits: Limits
    /// `default` first; it is always there.
    package var sandboxes: [SandboxProfile]
    package var access: Access
    /// In the order they are asked; the first that matches decides.
    package var rules: [Rule]
    /// The files in the order they were merged; empty when all is built in.
    package var files: [String]
    /// Their texts, in the same order.
    package var texts: [String] = []
    /// What was taken, but will not do what it seems to.
    package var warnings: [ConfigProblem] = []
    /// SHA-256 over the files, see ``hash(of:)``.
    package var hash: String

    package func queue(_ name: String) -> Queue? { queues.first { $0.name == name } }
    package func sandbox(_ name: String) -> SandboxProfile? { sandboxes.first { $0.name == name } }
    package var defaultQueue: Queue? { queues.first { $0.isDefault.value } }

    /// What jobs may use of `machine`: all but the reserves, never negative.
    package func usable(of machine: MachineCapacity) -> MachineCapacity {
        MachineCapacity(
            cpus: max(0, machine.cpus - self.machine.reserveCpus.value),
            memory: ByteSize(bytes: max(0, machine.memory.bytes - self.machine.reserveMemory.value.bytes)),
            gpus: max(0, machine.gpus), cards: machine.cards)
    }

    /// Whether jobs of a queue that may share GPUs do.
    package func sharesGPUs(inQueue name: String) -> Bool {
        machine.gpuShare.value == .memory && (queue(name)?.gpuShare.value ?? true)
    }

    /// Whether a job of this kind may be stopped and started again: as its queue says, else as it says itself.
    package func isInterruptible(_ subject: RuleMatch.Subject) -> Bool {
        queue(subject.queue)?.interruptible.value ?? subject.interruptible
    }
}

/// Who asks, as the kernel says.
package struct Submitter: Hashable, Sendable {
    package var uid: UInt32
    package var user: String
    package var groups: [String]
    /// What `~` in a policy's paths stands for; without it such paths match nothing.
    package var home: String?

    package init(uid: UInt32, user: String, groups: [String], home: String? = nil) {
        self.uid = uid
        self.user = user
        self.groups = groups
        self.home = home
    }
}

/// What the machine has, before any reserve.
package struct MachineCapacity: Hashable, Sendable {
    package var cpus: Int
    package var memory: ByteSize
    package var gpus: Int
    /// Each of the GPUs; empty where they are only counted.
    package var cards: [Card]

    /// Stands for the memory of a machine of which nobody says how much it has: no sum of requests fills it.
    package static let unknownMemory = ByteSize(bytes: 1 << 62)

    package struct Card: Hashable, Sendable {
        package var model: String
        /// Whose it is: its programs are other vendors' only rarely.
        package var vendor: String
        /// Nil where its driver does not say.
        package var memory: ByteSize?
        /// The memory node (NUMA) it is near to; nil where that is not known.
        package var node: Int?

        package init(model: String, vendor: String = "", memory: ByteSize? = nil, node: Int? = nil) {
            self.model = model
            self.vendor = vendor
            self.memory = memory
            self.node = node
        }
    }

    package init(cpus: Int, memory: ByteSize, gpus: Int, cards: [Card] = []) {
        self.cpus = cpus
        self.memory = memory
        self.gpus = gpus
        self.cards = cards
    }
}
