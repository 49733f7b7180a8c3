import ConfigFile
import Learning

// [train]
extension TrainingPlan {
    private enum OptimizerName: String, CaseIterable { case adam, sgd }
    private enum LossName: String, CaseIterable {
        case sparseCategoricalCrossentropy = "sparse-categorical-crossentropy"
    }

    mutating func readTrain(_ reader: ConfigReader) {
        lines.train = reader.table.line
        if let task: Task = reader.choice("task") { self.task = task }
        if let epochs = reader.integer("epochs", in: 1...1_000_000) {
            self.epochs = epochs
        } else if reader.table["epochs"] == nil {
            reader.missing("epochs", example: "10")
        }
        if let batchSize = reader.integer("batch-size", in: 1...1_000_000) { self.batchSize = batchSize }
        if let seed = reader.integer("seed") { self.seed = UInt64(seed) }
        threads = reader.integer("threads", in: 1...1024)
        if let shards = reader.integer("shards", in: 1...1024) { self.shards = shards }
        readOptimizer(reader)
        if let loss: LossName = reader.choice("loss") {
            switch loss {
            case .sparseCategoricalCrossentropy: self.loss = SparseCategoricalCrossentropy()
            }
        }
        if let names = reader.strings("metrics") {
            let choices = MetricName.allCases.map(\.rawValue)
            metrics = names.compactMap { name in
                if let metric = MetricName(rawValue: name) { return metric }
                reader.report(
                    "metrics", "\"train.metrics\" has no \"\(name)\"; known: \(choices.joined(separator: ", "))",
                    hint: nearMatch(name, among: choices).map { "did you mean \"\($0)\"?" })
                return nil
            }
        }
        if let table = reader.table("early-stopping") { earlyStopping = readEarlyStopping(table) }
        reader.finish()
    }

    private mutating func readOptimizer(_ reader: ConfigReader) {
        guard let node = reader.node("optimizer") else { return }
        guard case .table = node.value else {
            // Only the name: the defaults of Keras.
            switch reader.choice("optimizer", OptimizerName.self) {
            case .adam: optimizer = Adam()
            case .sgd: optimizer = SGD()
            case nil: break
            }
            return
        }
        guard let table = reader.table("optimizer") else { return }
        let rates = 1e-12...1e6
        let decays = 0...0.999_999_9
        if table.table["name"] == nil { table.missing("name", example: "\"adam\"") }
        switch table.choice("name", OptimizerName.self) {
        case .adam:
            var adam = Adam()
            if let value = table.number("learning-rate", in: rates) { adam.learningRate = Float(value) }
            if let value = table.number("beta-1", in: decays) { adam.beta1 = Float(value) }
            if let value = table.number("beta-2", in: decays) { adam.beta2 = Float(value) }
            if let value = table.number("epsilon", in: rates) { adam.epsilon = Float(value) }
            optimizer = adam
        case .sgd:
            var sgd = SGD()
            if let value = table.number("learning-rate", in: rates) { sgd.learningRate = Float(value) }
            if let value = table.number("momentum", in: decays) { sgd.momentum = Float(value) }
            if let value = table.boolean("nesterov") { sgd.isNesterov = value }
            optimizer = sgd
        case nil:
            // Which other keys there are depends on the name.
            return
        }
        table.finish()
    }

    private func readEarlyStopping(_ reader: ConfigReader) -> EarlyStopping {
        var rule = EarlyStopping()
        if let monitor: EarlyStopping.Monitor = reader.choice("monitor") { rule.monitor = monitor }
        if let patience = reader.integer("patience", in: 0...1_000_000) { rule.patience = patience }
        if let delta = reader.number("min-delta", in: 0...1e9) { rule.minimumDelta = delta }
        if let restores = reader.boolean("restore-best") { rule.restoresBest = restores }
        reader.finish()
        return rule
    }
}
