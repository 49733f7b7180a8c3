package import ConfigFile
package import Datasets
package import Learning
import Tensors
import Units

/// A plan held against its data: the model compiled for the shape of the samples, before any sample is read.
package struct PreparedTraining: Sendable {
    package let plan: TrainingPlan
    package let model: CompiledModel
    package let shapes: [String]
    package let outline: DatasetOutline
    package let memory: MemoryEstimate

    /// - Throws: what is wrong with the job now that the data are known, with file and line.
    package init(_ plan: TrainingPlan) throws(ConfigProblems) {
        let collector = ConfigReader.Collector()
        func report(_ line: Int, _ message: String, hint: String? = nil) {
            collector.add(plan.problem(line, message, hint: hint))
        }
        let outline: DatasetOutline
        do throws(DatasetError) {
            outline = try plan.data.outline(seed: plan.seed)
        } catch {
            report(
                plan.lines.path, "data: \(error)",
                hint: error.code == .file ? "is \"path\" the directory of the data set?" : nil)
            throw ConfigProblems(collector.problems)
        }
        if outline.trainCount == 0 { report(plan.lines.split, "data: no sample is left to train on") }
        if outline.validationCount == 0, plan.earlyStopping?.monitor.needsValidation ?? false {
            report(plan.lines.split, "data: no sample is left for validation, which early stopping watches")
        }
        guard outline.inputs.count == 1 else {
            report(
                plan.lines.path,
                "data: a sample has \(outline.inputs.count) inputs, but a model of layers in a row takes one")
            throw ConfigProblems(collector.problems)
        }

        let model: CompiledModel
        let shapes: [Shape]
        do throws(LearningError) {
            let network = try Network.sequential(
                inputShape: outline.inputs[0], plan.layers.map { ($0.name, $0.layer) })
            shapes = try network.shapes()
            model = try CompiledModel(
                network: network, loss: plan.loss, batchSize: plan.batchSize, shards: plan.shards)
        } catch {
            let line = error.layer.flatMap { plan.lines.layers.indices.contains($0) ? plan.lines.layers[$0] : nil }
            report(line ?? plan.lines.train, "model: \(error.message)")
            throw ConfigProblems(collector.problems)
        }
        let lastLine = plan.lines.layers.last ?? plan.lines.train
        if model.targetShape.count != outline.targetShape.count {
            report(
                lastLine,
                "model: the output is \(model.output.shape), but a sample has "
                    + (outline.targetShape.rank == 0 ? "one class" : "targets of \(outline.targetShape)"),
                hint: outline.targetShape.rank == 0
                    ? "put a layer with type = \"flatten\" before the dense layers" : nil)
        } else if let classes = outline.classes, classes > model.output.shape.last {
            report(
                lastLine,
                "model: the last layer has \(model.output.shape.last) units, but the data have the classes 0 to "
                    + "\(classes - 1)", hint: "units = \(classes)")
        }
        var memory = MemoryEstimate(
            model, optimizer: plan.optimizer, keepsBest: plan.earlyStopping?.restoresBest ?? false,
            samples: outline.count, loading: outline.loadingBytes)
        memory.data = outline.dataBytes
        self.memory = memory
        if let limit = plan.memory, memory.total > Int(limit.bytes) {
            report(
                0, "training needs \(ByteSize(bytes: Int64(memory.total))), but the job asks for \(limit)",
                hint: "raise memory in [resources]")
        }
        try collector.check()
        self.plan = plan
        self.model = model
        self.shapes = shapes.map(\.description)
        self.outline = outline
    }

    /// What `mltrain check` prints.
    package var summary: String {
        var lines: [String] = []
        lines.append(
            "data    \(outline.trainCount) training, \(outline.validationCount) validation, \(outline.testCount) test "
                + "samples of \(outline.inputs.map(\.description).joined(separator: " and "))"
                + (outline.classes.map { ", \($0) classes" } ?? ""))
        for (index, size) in outline.vocabularySizes.enumerated() {
            lines.append("input   \(index + 1) holds numbers below \(size)")
        }
        for (index, node) in model.network.nodes.enumerated() {
            let own = model.plan.parameters.filter { $0.node == index }.reduce(0) { $0 + $1.shape.count }
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
