import ConfigFile

// [model] preset = "resnet-20"
extension TrainingPlan {
    private static let presets: [String: @Sendable (ConfigReader) -> String?] = [
        "resnet-8": { resNet($0, blocks: 1) }, "resnet-20": { resNet($0, blocks: 3) },
        "sentiment-lstm": { sentiment($0) },
    ]

    mutating func readPreset(_ preset: String, _ reader: ConfigReader) {
        guard let write = TrainingPlan.presets[preset] else {
            let known = TrainingPlan.presets.keys.sorted()
            return reader.report(
                "preset", "there is no preset \"\(preset)\"; known: \(known.joined(separator: ", "))",
                hint: nearMatch(preset, among: known).map { "did you mean \"\($0)\"?" })
        }
        guard let text = write(reader) else { return }
        do {
            let table = try TOMLParser.parse(text, file: preset)
            let inner = ConfigReader(table, name: "model", file: file, collector: reader.collector)
            for layer in inner.tables("layer") { layers.read(layer) }
        } catch {
            reader.report("preset", "the preset \"\(preset)\" cannot be built: \(error)")
        }
    }

    /// The small residual networks for pictures of about 32x32 pixels: He et al., 2016, section 4.2: three stages of
    /// 16, 32 and 64 filters, `6 blocks + 2` layers in all.
    private static func resNet(_ reader: ConfigReader, blocks: Int) -> String? {
        let classes = reader.integer("classes", in: 2...1_000_000) ?? 10
        var text = """
            [[layer]]
            name = "stem"
            type = "conv-2d"
            filters = 16
            kernel-size = 3
            padding = "same"
            use-bias = false
            kernel-initializer = "he-normal"
            [[layer]]
            name = "stem-norm"
            type = "batch-normalization"
            momentum = 0.9
            epsilon = 1e-5
            activation = "relu"

            """
        for stage in 1...3 {
            for block in 1...blocks {
                text += """
                    [[layer]]
                    name = "stage-\(stage)-\(block)"
                    type = "residual-block"
                    filters = \(8 << stage)
                    strides = \(stage > 1 && block == 1 ? 2 : 1)

                    """
            }
        }
        return text + """
            [[layer]]
            name = "pool"
            type = "global-average-pooling-2d"
            [[layer]]
            name = "classes"
            type = "dense"
            units = \(classes)
            activation = "softmax"
            """
    }

    /// The sentiment model of two LSTM layers.
    private static func sentiment(_ reader: ConfigReader) -> String? {
        let words = reader.integer("vocabulary-size", in: 3...10_000_000) ?? 10_000
        return """
            [[layer]]
            type = "embedding"
            input-dim = \(words)
            output-dim = 32
            [[layer]]
            type = "lstm"
            units = 64
            return-sequences = true
            [[layer]]
            type = "lstm"
            units = 64
            [[layer]]
            type = "dense"
            units = 1
            activation = "sigmoid"
            """
    }
}
