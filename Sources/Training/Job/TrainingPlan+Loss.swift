import ConfigFile
import Learning

// train.loss
extension TrainingPlan {
    private enum LossName: String, CaseIterable {
        case binaryCrossentropy = "binary-crossentropy"
        case categoricalCrossentropy = "categorical-crossentropy"
        case huber
        case meanAbsoluteError = "mean-absolute-error"
        case meanSquaredError = "mean-squared-error"
        case sparseCategoricalCrossentropy = "sparse-categorical-crossentropy"

        /// The options it has.
        var knows: (smoothing: Bool, ignoring: Bool) {
            switch self {
            case .binaryCrossentropy, .sparseCategoricalCrossentropy: (true, true)
            case .categoricalCrossentropy: (true, false)
            case .huber, .meanAbsoluteError, .meanSquaredError: (false, true)
            }
        }
    }

    mutating func readLoss(_ reader: ConfigReader) {
        guard let node = reader.node("loss") else { return }
        guard case .table = node.value else {
            if let name: LossName = reader.choice("loss") { loss = Self.loss(name) }
            return
        }
        guard let table = reader.table("loss") else { return }
        if table.table["name"] == nil { table.missing("name", example: "\"sparse-categorical-crossentropy\"") }
        // Which other keys there are depends on the name.
        guard let name: LossName = table.choice("name") else { return }
        var smoothing: Float = 0
        var weights: [Float]?
        var ignoring: Float?
        if name.knows.smoothing {
            if let value = table.number("label-smoothing", in: 0...0.999) { smoothing = Float(value) }
            weights = readClassWeights(table)
        }
        if name.knows.ignoring { ignoring = table.number("ignoring", in: -1e9...1e9).map { Float($0) } }
        let delta = name == .huber ? table.number("delta", in: 1e-12...1e12) ?? 1 : 1
        loss = Self.loss(name, smoothing, weights, ignoring, Float(delta))
        table.finish()
    }

    private static func loss(
        _ name: LossName, _ smoothing: Float = 0, _ weights: [Float]? = nil, _ ignoring: Float? = nil,
        _ delta: Float = 1
    ) -> any Loss {
        switch name {
        case .binaryCrossentropy:
            BinaryCrossentropy(ignoring: ignoring, labelSmoothing: smoothing, classWeights: weights)
        case .categoricalCrossentropy: CategoricalCrossentropy(labelSmoothing: smoothing, classWeights: weights)
        case .huber: Huber(delta: delta, ignoring: ignoring)
        case .meanAbsoluteError: MeanAbsoluteError(ignoring: ignoring)
        case .meanSquaredError: MeanSquaredError(ignoring: ignoring)
        case .sparseCategoricalCrossentropy:
            SparseCategoricalCrossentropy(ignoring: ignoring, labelSmoothing: smoothing, classWeights: weights)
        }
    }

    /// Numbers, one for each class, or `"balanced"`, to be counted once the data are read.
    private mutating func readClassWeights(_ table: ConfigReader) -> [Float]? {
        guard let node = table.node("class-weights") else { return nil }
        if case .string(let text) = node.value {
            if text == "balanced" {
                balancesClasses = true
            } else {
                table.report(
                    "class-weights", "\"train.loss.class-weights\" is \"\(text)\"; it must be \"balanced\" or numbers",
                    hint: nearMatch(text, among: ["balanced"]).map { "did you mean \"\($0)\"?" })
            }
            return nil
        }
        return table.numbers("class-weights", in: 0...1e9)?.map { Float($0) }
    }
}
