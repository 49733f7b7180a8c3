import ConfigFile
package import Learning

// [model]
extension TrainingPlan {
    /// What is trained.
    package enum Form: Sendable {
        /// One network: ``TrainingPlan/layers``.
        case network
        case tree(DecisionTree.Options)
        case adversaries(Adversaries)
    }

    /// Two networks against each other.
    package struct Adversaries: Sendable {
        /// The numbers that a sample is made from.
        package var latent: Int
        package var generator = LayerList()
        package var discriminator = LayerList()
    }

    mutating func readModel(_ reader: ConfigReader) {
        // Only one of these says what the model is.
        let forms = ["layer", "preset", "tree", "generator"].filter { reader.table[$0] != nil }
        if forms.count > 1 {
            let names = forms.map { $0 == "layer" || $0 == "generator" ? "[[model.\($0)]] sections" : "\"\($0)\"" }
            reader.report(
                forms[1],
                "a model has either \(names.joined(separator: " or ")), not \(forms.count > 2 ? "all" : "both")")
        }
        switch forms.first {
        case "tree":
            if let table = reader.table("tree") {
                let options = readTree(table)
                form = .tree(options)
            }
        case "generator": form = .adversaries(readAdversaries(reader))
        case "preset": if let preset = reader.string("preset") { readPreset(preset, reader) }
        case "layer": for table in reader.tables("layer") { layers.read(table) }
        default:
            reader.report(
                "layer", "the model has no layers",
                hint: "add [[model.layer]] with type = \"dense\" and units = 10, or preset = \"resnet-20\"")
        }
        // Keys of the other forms are reported above, and not unknown.
        for form in forms.dropFirst() { _ = reader.node(form) }
        reader.finish()
    }

    private mutating func readTree(_ table: ConfigReader) -> DecisionTree.Options {
        var options = DecisionTree.Options()
        let most = Int(Int32.max)
        if let criterion: DecisionTree.Criterion = table.choice("criterion") {
            options.criterion = criterion
            namedCriterion = criterion
        }
        options.maxDepth = table.integer("max-depth", in: 1...most)
        if let count = table.integer("min-samples-split", in: 2...most) { options.minSamplesSplit = count }
        if let count = table.integer("min-samples-leaf", in: 1...most) { options.minSamplesLeaf = count }
        if let alpha = table.number("ccp-alpha", in: 0...1e9) { options.ccpAlpha = alpha }
        table.finish()
        return options
    }

    private func readAdversaries(_ reader: ConfigReader) -> Adversaries {
        var adversaries = Adversaries(latent: reader.integer("latent", in: 1...1_000_000) ?? 64)
        for table in reader.tables("generator") { adversaries.generator.read(table) }
        if reader.table["discriminator"] == nil {
            reader.report(
                "discriminator", "the generator has nobody to learn from",
                hint: "add [[model.discriminator]] sections, the last with type = \"dense\" and units = 1")
        }
        for table in reader.tables("discriminator") { adversaries.discriminator.read(table) }
        return adversaries
    }
}
