package import ConfigFile
import Datasets
package import Learning
import Tensors
import Units

/// A plan held against its data: the model compiled for the shape of the samples, before any sample is read.
package struct PreparedTraining: Sendable {
    package let plan: TrainingPlan
    package let model: CompiledModel
    package let shapes: [String]
    package let trainSamples: Int
    package let validationSamples: Int
    package let testSamples: Int
    package let memory: MemoryEstimate

    /// - Throws: what is wrong with the job now that the data are known, with file and line.
    package init(_ plan: TrainingPlan) throws(ConfigProblems) {
        let collector = ConfigReader.Collector()
        func report(_ line: Int, _ message: String, hint: String? = nil) {
            collector.add(plan.problem(line, message, hint: hint))
        }
        var headers: [(count: Int, shape: Shape)?] = []
        var files = [(plan.data.trainImages, plan.data.trainLabels)]
        if let test = plan.data.test { files.append((test.images, test.labels)) }
        var classes = 0
        var trainLabels: [UInt8] = []
        for (images, labels) in files {
            do throws(DatasetError) {
                let header = try IDXFile.readHeader(images)
                let labels = try IDXFile.read(labels, limit: 1 << 31)
                guard labels.shape.rank == 0, labels.count == header.count, header.count > 0,
                    header.count <= Int(Int32.max)
                else {
                    throw DatasetError(.content, "\(header.count) images, but \(labels.count) labels", path: images)
                }
                classes = max(classes, Int(labels.bytes.max() ?? 0) + 1)
                if headers.isEmpty { trainLabels = Array(labels.bytes) }
                headers.append(header)
            } catch {
                report(
                    plan.lines.path, "data: \(error)",
                    hint: error.code == .file ? "is \"path\" the directory of the data set?" : nil)
                headers.append(nil)
            }
        }
        guard let first = headers.first, let train = first else { throw ConfigProblems(collector.problems) }
        if headers.count > 1, let test = headers[1], test.shape != train.shape {
            report(plan.lines.path, "data: test images are \(test.shape), training images \(train.shape)")
        }
        let split = Split(count: train.count, validationFraction: plan.data.validationSplit, seed: plan.seed)
        if split.train.isEmpty { report(plan.lines.split, "data: no sample is left to train on") }
        if split.validation.isEmpty, plan.earlyStopping?.monitor.needsValidation ?? false {
            report(plan.lines.split, "data: no sample is left for validation, which early stopping watches")
        }

        let model: CompiledModel
        let shapes: [Shape]
        do throws(LearningError) {
            let network = try NetworkWiring(layers: plan.layers, aliases: plan.aliases, inputNames: [])
                .network(inputShapes: [train.shape])
            shapes = try network.shapes()
            var loss = plan.loss
            if plan.balancesClasses {
                // The binary cross-entropy has one output for its two classes.
                var counts = [Int](repeating: 0, count: max(shapes.last?.last ?? 1, 2))
                for index in split.train {
                    let label = Int(trainLabels[Int(index)])
                    if label < counts.count { counts[label] += 1 }
                }
                loss = loss.weighted(ClassWeights.balanced(counts)) ?? loss
            }
            model = try CompiledModel(
                network: network, loss: loss, batchSize: plan.batchSize, shards: plan.shards)
        } catch {
            let line = error.layer.flatMap { plan.lines.layers.indices.contains($0) ? plan.lines.layers[$0] : nil }
            report(line ?? plan.lines.train, "model: \(error.message)")
            throw ConfigProblems(collector.problems)
        }
        let lastLine = plan.lines.layers.last ?? plan.lines.train
        if model.targetShape.rank != 0 {
            report(
                lastLine, "model: the output is \(model.output.shape), but a sample has one class",
                hint: "put a layer with type = \"flatten\" before the dense layers")
        } else if classes > model.output.shape.last {
            report(
                lastLine,
                "model: the last layer has \(model.output.shape.last) units, but the data have the classes 0 to "
                    + "\(classes - 1)", hint: "units = \(classes)")
        }
        let count = headers.reduce(0) { $0 + ($1?.count ?? 0) }
        memory = MemoryEstimate(
            model, optimizer: plan.optimizer, keepsBest: plan.earlyStopping?.restoresBest ?? false, samples: count,
            loading: headers.reduce(0) { $0 + ($1.map { $0.count * $0.shape.count } ?? 0) }
                + files.reduce(0) { $0 + FileBytes.size($1.0) + FileBytes.size($1.1) })
        if let limit = plan.memory, memory.total > Int(limit.bytes) {
            report(
                0, "training needs \(ByteSize(bytes: Int64(memory.total))), but the job asks for \(limit)",
                hint: "raise memory in [resources]")
        }
        try collector.check()
        self.plan = plan
        self.model = model
        self.shapes = shapes.map(\.description)
        trainSamples = split.train.count
        validationSamples = split.validation.count
        testSamples = headers.count > 1 ? (headers[1]?.count ?? 0) : 0
    }

    /// What `mltrain check` prints.
    package var summary: String {
        var lines: [String] = []
        lines.append(
            "data    \(trainSamples) training, \(validationSamples) validation, \(testSamples) test samples of "
                + "\(model.input.shape)")
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
