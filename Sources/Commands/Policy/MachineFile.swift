import ConfigFile
import JobAPI
import Policy
import Simulation
import Units

/// The machine a policy is tried on, from a file of its own.
struct MachineFile {
    var cpus: Int?
    var memory: ByteSize?
    var gpus: Int?
    /// What is known of each of them.
    var cards: [MachineCapacity.Card] = []
    var idlePower: Power?
    var cpuPower: Power?
    var gpuPower: Power?

    /// What a CPU and a GPU are taken to draw where nobody says: round figures for those of a server.
    static let assumedCPUWatts = 10.0
    static let assumedGPUWatts = 250.0

    init() {}

    /// The daemon's own.
    init(_ machine: HistoryPage.Machine) {
        cpus = machine.cpus
        memory = machine.memoryBytes
        gpus = machine.gpus
        cards = (machine.cards ?? []).map { MachineCapacity.Card(model: $0.model, memory: $0.memoryBytes) }
        idlePower = machine.idleW.map { Power(watts: $0) }
    }

    /// - Throws: every problem, with its line.
    init(_ text: String, file: String) throws(ConfigProblems) {
        let collector = ConfigReader.Collector()
        do {
            let reader = ConfigReader(try TOMLParser.parse(text, file: file), file: file, collector: collector)
            cpus = reader.integer("cpus", in: 1...1_000_000)
            memory = reader.size("memory")
            gpus = reader.integer("gpus", in: 0...100_000)
            readCards(reader)
            idlePower = Self.power("idle-power", reader)
            cpuPower = Self.power("power-per-cpu", reader)
            gpuPower = Self.power("power-per-gpu", reader)
            reader.finish()
        } catch {
            collector.add(error)
        }
        try collector.check()
    }

    /// `[[gpu]]`: so many of one model.
    private mutating func readCards(_ reader: ConfigReader) {
        let tables = reader.tables("gpu")
        if tables.count > Self.mostModels {
            reader.report("gpu", "there are \(tables.count) kinds of GPUs; at most \(Self.mostModels) are told apart")
        }
        for table in tables {
            let model = table.string("model") ?? ""
            if model.isEmpty || GPUModel.problem(model) != nil {
                table.report("model", "\"gpu.model\" must be a name", hint: "for example model = \"NVIDIA A100\"")
            }
            let memory = table.size("memory")
            let count = table.integer("count", in: 1...1024) ?? 1
            cards += Array(repeating: MachineCapacity.Card(model: model, memory: memory), count: count)
            table.finish()
        }
        guard !tables.isEmpty else { return }
        if let gpus, gpus != cards.count {
            reader.report("gpus", "\"gpus\" is \(gpus), but [[gpu]] has \(cards.count)", hint: "leave out \"gpus\"")
        }
        gpus = cards.count
    }

    private static let mostModels = 16

    private static func power(_ key: String, _ reader: ConfigReader) -> Power? {
        guard let value = reader.power(key) else { return nil }
        if value.watts >= 0, value.watts <= 1e6 { return value }
        reader.report(key, "\"\(key)\" is \(value); it must be from 0 W to 1000 kW")
        return nil
    }

    /// - Parameters:
    ///   - processors: those of the trace's own machine.
    ///   - isUnlimited: every job finds room.
    /// - Returns: nil where nobody says how many CPUs there are.
    func machine(processors: Int?, isUnlimited: Bool) -> SimulatedMachine? {
        var capacity: MachineCapacity?
        if !isUnlimited {
            guard let cpus = cpus ?? processors else { return nil }
            capacity = MachineCapacity(
                cpus: cpus, memory: memory ?? MachineCapacity.unknownMemory, gpus: gpus ?? 0,
                cards: cards)
        }
        return SimulatedMachine(
            capacity: capacity, idlePower: idlePower?.watts ?? 0, cpuPower: cpuPower?.watts ?? Self.assumedCPUWatts,
            gpuPower: gpuPower?.watts ?? Self.assumedGPUWatts)
    }

    /// What had to be assumed of the power of a trace's jobs; nil when nothing had.
    func note(for trace: Trace) -> String? {
        let unknown = trace.heldWithoutPower
        var parts: [String] = []
        if cpuPower == nil, unknown.cpus {
            parts.append("\(Int(Self.assumedCPUWatts)) W for each CPU")
        }
        if gpuPower == nil, unknown.gpus {
            parts.append("\(Int(Self.assumedGPUWatts)) W for each GPU")
        }
        if parts.isEmpty { return nil }
        return "nobody says what jobs draw: assumed are \(parts.joined(separator: " and ")); --machine FILE says better"
    }
}
