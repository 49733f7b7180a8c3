import ConfigFile
import Learning

// train.optimizer and train.schedule
extension TrainingPlan {
    private enum OptimizerName: String, CaseIterable { case adam, adamw, rmsprop, sgd }
    private enum ScheduleName: String, CaseIterable {
        case constant
        case cosineDecay = "cosine-decay"
        case exponentialDecay = "exponential-decay"
        case inverseSquareRoot = "inverse-square-root"
        case linearWarmup = "linear-warmup"
        case piecewiseConstant = "piecewise-constant"
    }

    private static let rates = 1e-12...1e6
    private static let decays = 0...0.999_999_9
    private static let steps = 1...1_000_000_000

    mutating func readOptimizer(_ reader: ConfigReader) {
        guard let node = reader.node("optimizer") else { return }
        guard case .table = node.value else {
            // Only the name: the defaults of Keras.
            switch reader.choice("optimizer", OptimizerName.self) {
            case .adam: optimizer = Adam()
            case .adamw: optimizer = AdamW()
            case .rmsprop: optimizer = RMSprop()
            case .sgd: optimizer = SGD()
            case nil: break
            }
            return
        }
        guard let table = reader.table("optimizer") else { return }
        if table.table["name"] == nil { table.missing("name", example: "\"adam\"") }
        switch table.choice("name", OptimizerName.self) {
        case .adam: optimizer = readAdam(table, Adam())
        case .adamw:
            var adamW = AdamW()
            adamW.adam = readAdam(table, adamW.adam)
            optimizer = adamW
        case .rmsprop:
            var rmsprop = RMSprop()
            if let value = table.number("learning-rate", in: Self.rates) { rmsprop.learningRate = Float(value) }
            if let value = table.number("rho", in: Self.decays) { rmsprop.rho = Float(value) }
            if let value = table.number("momentum", in: Self.decays) { rmsprop.momentum = Float(value) }
            if let value = table.number("epsilon", in: Self.rates) { rmsprop.epsilon = Float(value) }
            if let value = readWeightDecay(table) { rmsprop.weightDecay = value }
            optimizer = rmsprop
        case .sgd:
            var sgd = SGD()
            if let value = table.number("learning-rate", in: Self.rates) { sgd.learningRate = Float(value) }
            if let value = table.number("momentum", in: Self.decays) { sgd.momentum = Float(value) }
            if let value = table.boolean("nesterov") { sgd.isNesterov = value }
            if let value = readWeightDecay(table) { sgd.weightDecay = value }
            optimizer = sgd
        case nil:
            // Which other keys there are depends on the name.
            return
        }
        readClipping(table)
        table.finish()
    }

    private func readAdam(_ table: ConfigReader, _ defaults: Adam) -> Adam {
        var adam = defaults
        if let value = table.number("learning-rate", in: Self.rates) { adam.learningRate = Float(value) }
        if let value = table.number("beta-1", in: Self.decays) { adam.beta1 = Float(value) }
        if let value = table.number("beta-2", in: Self.decays) { adam.beta2 = Float(value) }
        if let value = table.number("epsilon", in: Self.rates) { adam.epsilon = Float(value) }
        if let value = readWeightDecay(table) { adam.weightDecay = value }
        return adam
    }

    private func readWeightDecay(_ table: ConfigReader) -> Float? {
        table.number("weight-decay", in: 0...1000).map { Float($0) }
    }

    private mutating func readClipping(_ table: ConfigReader) {
        let norm = table.number("clip-norm", in: Self.rates)
        let value = table.number("clip-value", in: Self.rates)
        if norm != nil, value != nil {
            table.report("clip-value", "\"clip-norm\" and \"clip-value\" exclude each other", hint: "keep clip-norm")
        }
        if let norm { clipping = .globalNorm(Float(norm)) } else if let value { clipping = .value(Float(value)) }
    }

    mutating func readSchedule(_ reader: ConfigReader) {
        guard let node = reader.node("schedule") else { return }
        guard case .table = node.value else {
            guard let name: ScheduleName = reader.choice("schedule"), name != .constant else { return }
            reader.report(
                "schedule", "the schedule \(name.rawValue) needs its steps",
                hint: "for example schedule = \(Self.example(name))")
            return
        }
        guard let table = reader.table("schedule") else { return }
        if table.table["name"] == nil { table.missing("name", example: "\"cosine-decay\"") }
        guard let name: ScheduleName = table.choice("name") else { return }
        func required(_ key: String, _ example: String) -> Int {
            if table.table[key] == nil { table.missing(key, example: example) }
            return table.integer(key, in: Self.steps) ?? 1
        }
        switch name {
        case .constant: schedule = ConstantSchedule()
        case .cosineDecay:
            schedule = CosineDecay(
                decaySteps: required("decay-steps", "10000"), alpha: Float(table.number("alpha", in: 0...1) ?? 0),
                warmupSteps: table.integer("warmup-steps", in: 0...Self.steps.upperBound) ?? 0)
        case .exponentialDecay:
            let steps = required("decay-steps", "1000")
            if table.table["decay-rate"] == nil { table.missing("decay-rate", example: "0.96") }
            schedule = ExponentialDecay(
                decaySteps: steps, decayRate: Float(table.number("decay-rate", in: 1e-12...1) ?? 1),
                isStaircase: table.boolean("staircase") ?? false)
        case .inverseSquareRoot: schedule = InverseSquareRoot(warmupSteps: required("warmup-steps", "4000"))
        case .linearWarmup: schedule = LinearWarmup(warmupSteps: required("warmup-steps", "1000"))
        case .piecewiseConstant: schedule = readPieces(table)
        }
        table.finish()
    }

    private func readPieces(_ table: ConfigReader) -> PiecewiseConstant {
        if table.table["boundaries"] == nil { table.missing("boundaries", example: "[1000, 2000]") }
        if table.table["values"] == nil { table.missing("values", example: "[1, 0.1, 0.01]") }
        let boundaries = table.numbers("boundaries", in: 1...1e9) ?? []
        let values = table.numbers("values", in: 0...1e6) ?? []
        let steps = boundaries.map { Int($0) }
        if zip(boundaries, steps).contains(where: { $0 != Double($1) })
            || zip(steps, steps.dropFirst()).contains(where: { $0 >= $1 })
        {
            table.report("boundaries", "\"train.schedule.boundaries\" must be steps, each later than the one before")
        } else if table.table["boundaries"] != nil, table.table["values"] != nil, values.count != boundaries.count + 1 {
            table.report(
                "values",
                "\"train.schedule.values\" has \(values.count) factors of the learning rate for "
                    + "\(boundaries.count) boundaries; it must have \(boundaries.count + 1)")
        }
        return PiecewiseConstant(boundaries: steps, values: values.map { Float($0) })
    }

    private static func example(_ name: ScheduleName) -> String {
        let options =
            switch name {
            case .constant: ""
            case .cosineDecay: ", decay-steps = 10000"
            case .exponentialDecay: ", decay-steps = 1000, decay-rate = 0.96"
            case .inverseSquareRoot: ", warmup-steps = 4000"
            case .linearWarmup: ", warmup-steps = 1000"
            case .piecewiseConstant: ", boundaries = [1000], values = [1, 0.1]"
            }
        return "{ name = \"\(name.rawValue)\"\(options) }"
    }
}
