/// The usages of one interval made safe to divide by: one entry per account, every number finite and not negative.
struct Claims {
    var accounts: [Account] = []
    /// CPU seconds, bytes for memory, GPU seconds.
    var use: [Double] = []
    /// The same, each with the weight of the account: what the active part is divided by in the end.
    var weightedUse: [Double] = []
    /// What the idle part is divided by: reserved CPUs, bytes for memory, parts of a card. Only jobs reserve.
    var reserved: [Double] = []
    /// What nobody reserved; zero when more is reserved than there is.
    var unreserved = 0.0
    /// Who may have drawn all of the active part or none of it: their `use` is a convention, not an observation.
    var doubtful: Set<Int> = []

    /// - Parameter sample: what is divided; a card has rules of its own.
    init(_ usages: [Usage], of sample: DomainSample, machine: MachineSize) {
        let usages = usages.filter { $0.account != .idle && $0.account != .gap }
        if sample.kind == .gpu {
            self.init(card: sample.domain, usages)
        } else {
            self.init(usages, kind: sample.kind, machine: machine, seconds: sample.seconds)
        }
    }

    init() {}

    private init(_ usages: [Usage], kind: DomainKind, machine: MachineSize, seconds: Double) {
        let cpus = Self.clean(machine.cpus)
        let bytes = Double(max(0, machine.memoryBytes))
        let length = Self.clean(seconds)
        // The clamp keeps sums finite. Nothing real exceeds it: the clocks of jobs and machine differ by 10 ms steps.
        let mostSeconds = cpus > 0 && length > 0 ? cpus * (length + 1) : 1e9
        var indices: [Account: Int] = [:]
        for usage in usages {
            let seconds = min(mostSeconds, Self.clean(usage.cpuSeconds))
            let held = Double(max(0, usage.reservedMemoryBytes))
            let isMemory = kind == .memory
            let use = isMemory ? held : seconds
            var reserved = isMemory ? held : min(1e9, Self.clean(usage.reservedCPUs))
            if !usage.account.isJob { reserved = 0 }
            if let index = indices[usage.account] {
                self.use[index] += use
                self.reserved[index] += reserved
            } else {
                indices[usage.account] = accounts.count
                accounts.append(usage.account)
                self.use.append(use)
                self.reserved.append(reserved)
            }
        }
        let capacity = kind == .memory ? bytes : cpus
        unreserved = max(0, capacity - reserved.reduce(0, +))
        weightedUse = use
    }

    /// Multiplies CPU seconds by the weights of their accounts, cut to within the square root of `ratio` of 1, so that no
    /// two differ by more than `ratio`. What makes no sense counts as 1.
    mutating func weigh(_ weights: [Account: Double], kind: DomainKind, ratio: Double) {
        guard kind == .cpu || kind == .platform, !weights.isEmpty else { return }
        let limit = Self.ratio(ratio).squareRoot()
        for (index, account) in accounts.enumerated() {
            guard let weight = weights[account], weight.isFinite, weight > 0 else { continue }
            weightedUse[index] = use[index] * min(limit, max(1 / limit, weight))
        }
    }

    private static func ratio(_ value: Double) -> Double { value.isFinite ? max(1, value) : 1 }

    private static func clean(_ value: Double) -> Double { value.isFinite ? max(0, value) : 0 }

    /// The part of the idle power that goes with what the account holds.
    func heldFraction(_ index: Int) -> Double { fraction(reserved[index]) }

    var unreservedFraction: Double {
        reserved.reduce(0, +) + unreserved > 0 ? fraction(unreserved) : 1
    }

    private func fraction(_ part: Double) -> Double {
        let whole = reserved.reduce(0, +) + unreserved
        return whole > 0 ? part / whole : 0
    }

    /// The least and the most of the active part that can be the account's if its units of use weigh up to `ratio` times
    /// as much as the others', or as little.
    func useBounds(of index: Int, ratio: Double) -> (low: Double, high: Double) {
        if doubtful.contains(index) { return (0, 1) }
        let own = use[index]
        guard own > 0 else { return (0, 0) }
        let others = max(0, use.reduce(0, +) - own)
        let k = Self.ratio(ratio)
        return (own / (own + k * others), k * own / (k * own + others))
    }
}
