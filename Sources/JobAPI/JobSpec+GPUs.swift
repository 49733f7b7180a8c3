import ConfigFile
import Units

extension JobSpec {
    /// A number, or a table with what each of them has to be: `{ count = 1, memory = "16 GiB", model = "A100", share = false }`.
    static func readGPUs(_ reader: ConfigReader, into resources: inout Resources) {
        guard case .table = reader.node("gpus")?.value else {
            if let gpus = reader.integer("gpus", in: gpuBounds) { resources.gpus = gpus }
            return
        }
        guard let table = reader.table("gpus") else { return }
        resources.gpus = table.integer("count", in: gpuBounds) ?? 1
        if let memory = table.size("memory") {
            if memory.bytes < 1 << 20 { table.report("memory", "\"resources.gpus.memory\" must be at least 1 MiB") }
            resources.gpuMemory = memory
        }
        if let model = table.string("model") {
            if let problem = GPUModel.problem(model) { table.report("model", "\"resources.gpus.model\" \(problem)") }
            resources.gpuModel = model
        }
        resources.gpuShare = table.boolean("share")
        if resources.gpuShare == true, resources.gpuMemory == nil {
            table.report(
                "share", "\"resources.gpus.share\" needs \"memory\"",
                hint: "say how much of each GPU's memory the job needs, for example memory = \"8 GiB\"")
        }
        table.finish()
    }
}
