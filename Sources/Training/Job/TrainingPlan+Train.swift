import ConfigFile
import Learning

// [train]
extension TrainingPlan {
    mutating func readTrain(_ reader: ConfigReader) {
        lines.train = reader.table.line
        if let task: Task = reader.choice("task") { self.task = task }
        if let seed = reader.integer("seed") { self.seed = UInt64(seed) }
        switch form {
        case .network:
            readSteps(reader)
            readSchedule(reader)
            readLoss(reader)
            readMetrics(reader)
            if let table = reader.table("early-stopping") { earlyStopping = readEarlyStopping(table) }
        case .tree:
            // All at once: no epochs, no steps, no optimiser.
            readMetrics(reader)
            guard [.classification, .regression].contains(task) else {
                reader.report("task", "a tree is for classification or regression, not for \(task.rawValue)")
                break
            }
            if let criterion = namedCriterion, (criterion == .squaredError) != (task == .regression) {
                reader.report(
                    "task", "\"model.tree.criterion\" is \(criterion.rawValue), which is not of \(task.rawValue)",
                    hint: task == .regression ? "criterion = \"squared-error\"" : "criterion = \"gini\" or \"entropy\"")
            }
        case .adversaries:
            if reader.table["task"] == nil { task = .generation }
            if task != .generation {
                reader.report("task", "a generator is for generation, not for \(task.rawValue)")
            }
            // Nothing is right or wrong about what is made up.
            metrics = []
            readSteps(reader)
        }
        reader.finish()
    }

    /// Of models that learn step by step.
    private mutating func readSteps(_ reader: ConfigReader) {
        if let epochs = reader.integer("epochs", in: 1...1_000_000) {
            self.epochs = epochs
        } else if reader.table["epochs"] == nil {
            reader.missing("epochs", example: "10")
        }
        if let batchSize = reader.integer("batch-size", in: 1...1_000_000) { self.batchSize = batchSize }
        checkpointEvery = reader.integer("checkpoint-every", in: 1...1_000_000_000)
        threads = reader.integer("threads", in: 1...1024)
        if let shards = reader.integer("shards", in: 1...1024) { self.shards = shards }
        readOptimizer(reader)
    }

    private mutating func readMetrics(_ reader: ConfigReader) {
        guard let names = reader.strings("metrics") else {
            // Numbers have no accuracy.
            if task == .regression { metrics = [.rmse, .r2] }
            return
        }
        let choices = MetricName.allCases.map(\.rawValue)
        metrics = names.compactMap { name in
            if let metric = MetricName(rawValue: name) { return metric }
            reader.report(
                "metrics", "\"train.metrics\" has no \"\(name)\"; known: \(choices.joined(separator: ", "))",
                hint: nearMatch(name, among: choices).map { "did you mean \"\($0)\"?" })
            return nil
        }
    }

    private func readEarlyStopping(_ reader: ConfigReader) -> EarlyStopping {
        var rule = EarlyStopping()
        if let monitor: EarlyStopping.Monitor = reader.choice("monitor") {
            rule.monitor = monitor
            if !loss.countsHits, monitor == .accuracy || monitor == .validationAccuracy {
                reader.report(
                    "monitor", "the loss \(loss.name) tells no accuracy to watch",
                    hint: "monitor = \"\(monitor.needsValidation ? "val-loss" : "loss")\"")
            }
        }
        if let patience = reader.integer("patience", in: 0...1_000_000) { rule.patience = patience }
        if let delta = reader.number("min-delta", in: 0...1e9) { rule.minimumDelta = delta }
        if let restores = reader.boolean("restore-best") { rule.restoresBest = restores }
        reader.finish()
        return rule
    }
}
