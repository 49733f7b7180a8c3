package import ConfigFile
package import Datasets
package import Learning
import Tensors
import Units

/// A network held against its data: compiled for the shapes of the samples.
package struct PreparedTraining: PreparedJob {
    package let plan: TrainingPlan
    /// One for each shape of the samples, the largest first.
    package let models: [CompiledModel]
    /// The outputs of the layers of ``model``.
    package let shapes: [String]
    package let outline: DatasetOutline
    package let memory: MemoryEstimate

    /// The model for the largest samples.
    package var model: CompiledModel { models[0] }

    /// - Throws: what is wrong with the job now that the data are known, with file and line.
    package init(_ plan: TrainingPlan) throws(ConfigProblems) {
        let collector = ConfigReader.Collector()
        func report(_ line: Int, _ message: String, hint: String? = nil) {
            collector.add(plan.problem(line, message, hint: hint))
        }
        var outline = try plan.outline(collector)
        if plan.balancesClasses, outline.loaded == nil {
            outline.loaded = try plan.reading(collector) { () throws(DatasetError) in
                try plan.data.load(seed: plan.seed)
            }
        }
        if outline.validationCount == 0, plan.earlyStopping?.monitor.needsValidation ?? false {
            report(plan.lines.split, "data: no sample is left for validation, which early stopping watches")
        }

        let models: [CompiledModel]
        let shapes: [Shape]
        do throws(LearningError) {
            let wiring = NetworkWiring(plan.layers)
            let network = try wiring.network(inputShapes: outline.inputs)
            shapes = try network.shapes()
            let loss = PreparedTraining.loss(plan, outline, outputs: shapes.last?.last ?? 1)
            models = try PreparedTraining.lengths(outline).map { inputs throws(LearningError) in
                try CompiledModel(
                    network: wiring.network(inputShapes: inputs), loss: loss, batchSize: plan.batchSize,
                    shards: plan.shards)
            }
        } catch {
            let line = error.layer.flatMap { plan.layers.line(of: $0) }
            report(line ?? plan.lines.train, "model: \(error.message)")
            throw ConfigProblems(collector.problems)
        }
        // Translations may be longer than any sentence of the data.
        let model = models.first { $0.network.inputShapes == outline.inputs } ?? models[0]
        let lastLine = plan.layers.entries.last?.line ?? plan.lines.train
        if model.targetShape.count != outline.targetShape.count {
            report(
                lastLine,
                "model: the output is \(model.output.shape), but a sample has "
                    + (outline.targetShape.rank == 0 ? "one class" : "targets of \(outline.targetShape)"),
                hint: outline.targetShape.rank == 0
                    ? "put a layer with type = \"flatten\" before the dense layers" : nil)
        } else if let classes = outline.classes, classes > max(model.output.shape.last, 2) {
            report(
                lastLine,
                "model: the last layer has \(model.output.shape.last) units, but the data have the classes 0 to "
                    + "\(classes - 1)", hint: "units = \(classes)")
        }
        for (index, source) in model.network.nodes.enumerated() {
            guard let embedding = source.layer as? Embedding, case .input(let input)? = source.inputs.first,
                input < outline.vocabularySizes.count, outline.vocabularySizes[input] > embedding.inputDim
            else { continue }
            report(
                plan.layers.line(of: index) ?? lastLine,
                "model: layer \"\(source.name)\" knows \(embedding.inputDim) numbers, but the data have "
                    + "\(outline.vocabularySizes[input])", hint: "input-dim = \(outline.vocabularySizes[input])")
        }
        plan.checkBatches(model.network, plan.layers, collector)
        for problem in plan.metricProblems(outline) { report(plan.lines.train, problem) }
        memory = MemoryEstimate(
            models, optimizer: plan.optimizer, keepsBest: plan.earlyStopping?.restoresBest ?? false,
            data: outline.dataBytes, loading: outline.loadingBytes)
        plan.checkMemory(memory.total, collector)
        try collector.check()
        self.plan = plan
        self.models = models
        self.shapes = shapes.map(\.description)
        self.outline = outline
    }

    package func run(_ context: RunContext) throws(TrainingError) { try TrainingRun(self, context).run() }

    /// The shapes of inputs to compile for, the largest first.
    private static func lengths(_ outline: DatasetOutline) -> [[Shape]] {
        var all: [[Shape]] = [outline.inputs]
        guard let dataset = outline.loaded else { return all }
        for bucket in dataset.train + dataset.validation + dataset.test where !all.contains(bucket.samples.inputs) {
            all.append(bucket.samples.inputs)
        }
        // A translation may come to lengths that no sample has.
        for length in dataset.preprocessing.pair?.lengths ?? [] {
            guard let shape = try? Shape([length]), !all.contains([shape, shape]) else { continue }
            all.append([shape, shape])
        }
        return all.sorted { $0.reduce(0) { $0 + $1.count } > $1.reduce(0) { $0 + $1.count } }
    }

    /// The job's loss, with weights for its classes if they are to be balanced.
    private static func loss(_ plan: TrainingPlan, _ outline: DatasetOutline, outputs: Int) -> any Loss {
        guard plan.balancesClasses, let dataset = outline.loaded else { return plan.loss }
        // The binary cross-entropy has one output for its two classes.
        var counts = [Int](repeating: 0, count: max(outputs, 2))
        for bucket in dataset.train {
            let width = bucket.samples.targetShape.count
            for index in bucket.indices {
                for i in 0..<width {
                    let target = bucket.samples.targets.base[Int(index) * width + i]
                    if target >= 0, target < Float(counts.count) { counts[Int(target)] += 1 }
                }
            }
        }
        return plan.loss.weighted(ClassWeights.balanced(counts)) ?? plan.loss
    }

    /// What `mltrain check` prints, and a job before it trains.
    package var summary: String {
        var lines = [TrainingPlan.summary(of: outline, isLongest: models.count > 1)]
        for (index, size) in outline.vocabularySizes.enumerated() {
            lines.append("input   \(index + 1) holds numbers below \(size)")
        }
        for (index, node) in model.network.nodes.enumerated() {
            let own = model.plan.parameters.filter { $0.node == index && $0.isLearnt }.reduce(0) { $0 + $1.count }
            lines.append("layer   \(node.name) -> \(shapes[index])" + (own > 0 ? ", \(own) parameters" : ""))
        }
        func size(_ bytes: Int) -> ByteSize { ByteSize(bytes: Int64(bytes)) }
        lines.append("model   \(model.plan.learntCount) parameters")
        lines.append(
            "memory  \(size(memory.total)): data \(size(memory.data)), weights \(size(memory.parameters)), gradients "
                + "\(size(memory.gradients)), moments \(size(memory.moments)), activations \(size(memory.arenas)), loading "
                + "\(size(memory.loading)), program \(size(MemoryEstimate.program))")
        return lines.joined(separator: "\n")
    }
}
