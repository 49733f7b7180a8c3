import ConfigFile
import Datasets
import Learning
import Tensors
import Units

/// A generator and a discriminator held against their data.
package struct PreparedAdversaries: PreparedJob {
    let plan: TrainingPlan
    let adversaries: TrainingPlan.Adversaries
    let generator: Network
    let discriminator: Network
    let outline: DatasetOutline
    let memory: Int

    /// - Throws: what is wrong with the job now that the data are known, with file and line.
    init(_ plan: TrainingPlan, _ adversaries: TrainingPlan.Adversaries) throws(ConfigProblems) {
        let collector = ConfigReader.Collector()
        outline = try plan.outline(collector)
        self.plan = plan
        self.adversaries = adversaries
        func wired(_ layers: LayerList, _ inputs: [Shape]) throws(ConfigProblems) -> Network {
            do { return try NetworkWiring(layers).network(inputShapes: inputs) } catch {
                let line = error.layer.flatMap { layers.line(of: $0) } ?? plan.lines.train
                collector.add(plan.problem(line, "model: \(error.message)"))
                throw ConfigProblems(collector.problems)
            }
        }
        if outline.inputs.count != 1 {
            collector.add(plan.problem(plan.lines.path, "model: samples to imitate have one input, not several"))
            try collector.check()
        }
        generator = try wired(adversaries.generator, try PreparedAdversaries.noise(adversaries, plan, collector))
        discriminator = try wired(adversaries.discriminator, outline.inputs)
        do throws(LearningError) {
            memory = try PreparedAdversaries.memory(plan, generator, discriminator, outline)
        } catch {
            let line = adversaries.generator.entries.last?.line ?? plan.lines.train
            collector.add(plan.problem(line, "model: \(error.message)"))
            throw ConfigProblems(collector.problems)
        }
        plan.checkBatches(generator, adversaries.generator, collector)
        if outline.trainCount < plan.batchSize {
            collector.add(
                plan.problem(
                    plan.lines.train, "data: \(outline.trainCount) samples to train on are fewer than a batch",
                    hint: "batch-size = \(outline.trainCount) or less"))
        }
        plan.checkMemory(memory, collector)
        try collector.check()
    }

    private static func noise(
        _ adversaries: TrainingPlan.Adversaries, _ plan: TrainingPlan, _ collector: ConfigReader.Collector
    ) throws(ConfigProblems) -> [Shape] {
        do { return [try Shape([adversaries.latent])] } catch {
            collector.add(plan.problem(plan.lines.train, "model: \(error.message)"))
            throw ConfigProblems(collector.problems)
        }
    }

    /// What the trainer will hold.
    private static func memory(
        _ plan: TrainingPlan, _ generator: Network, _ discriminator: Network, _ outline: DatasetOutline
    ) throws(LearningError) -> Int {
        let models = try AdversarialTrainer.models(
            generator: generator, discriminator: discriminator, sample: outline.inputs[0], batchSize: plan.batchSize,
            shards: plan.shards)
        func estimate(_ model: CompiledModel, _ optimizer: any Optimizer) -> MemoryEstimate {
            MemoryEstimate([model], optimizer: optimizer, keepsBest: false, data: 0)
        }
        let learning = [estimate(models.discriminator, plan.optimizer), estimate(models.chain, plan.optimizer)]
        // Either files are in memory for a while, or a checkpoint.
        let loading = max(outline.loadingBytes, learning.reduce(0) { $0 + $1.loading })
        let all = learning + [estimate(models.generator, SGD())]
        return MemoryEstimate.program + outline.dataBytes + loading
            + all.reduce(0) { $0 + $1.total - $1.loading - MemoryEstimate.program }
    }

    package var summary: String {
        var lines = [TrainingPlan.summary(of: outline)]
        for (name, network) in [("generator", generator), ("discriminator", discriminator)] {
            // Both were compiled before, so they have shapes.
            let shapes = (try? network.shapes()) ?? []
            for (node, shape) in zip(network.nodes, shapes) {
                lines.append("layer   \(name).\(node.name) -> \(shape)")
            }
        }
        lines.append("memory  \(ByteSize(bytes: Int64(memory)))")
        return lines.joined(separator: "\n")
    }

    package func run(_ context: RunContext) throws(TrainingError) { try AdversarialRun(self, context).run() }
}
