import Datasets
import JobAPI
import Learning
import Units

/// What is kept of a tree: `tree.json` for programs, `tree.txt` with its rules for people, and what every model has.
struct TreeDirectory {
    static let treeFile = "tree.json"

    struct Scores: Encodable {
        var train: Evaluation
        var validation: Evaluation?
        var test: Evaluation?
        var durationS = 0.0
    }

    let prepared: PreparedTree
    let tree: DecisionTree
    let dataset: Dataset
    let scores: Scores

    func write(to directory: OutputDirectory) throws(TrainingError) {
        try directory.write(dataset.preprocessing, metrics: scores, model: modelFile, card: card) {
            [OutputFile(Self.treeFile, try OutputDirectory.json(tree)), OutputFile("tree.txt", Array(rules.utf8))]
        }
    }

    private var features: [String] { dataset.preprocessing.table?.columns.map(\.name) ?? [] }

    /// In the units of the table, whatever was normalised.
    private var rules: String {
        let columns = dataset.preprocessing.table?.columns ?? []
        return tree.rescaled(center: columns.map(\.center), scale: columns.map(\.scale)).rules(
            featureNames: features, classNames: dataset.preprocessing.classes ?? [])
    }

    private var modelFile: ModelFile {
        var file = ModelFile(prepared.plan)
        file.add("input-shape", "[\(tree.features)]")
        file.beginTable("model.tree")
        let options = prepared.options
        file.add("criterion", ModelFile.quoted(prepared.criterion))
        if let depth = options.maxDepth { file.add("max-depth", "\(depth)") }
        file.add("min-samples-split", "\(options.minSamplesSplit)")
        file.add("min-samples-leaf", "\(options.minSamplesLeaf)")
        file.add("ccp-alpha", "\(options.ccpAlpha)")
        return file
    }

    private var card: ModelCard {
        let plan = prepared.plan
        var card = ModelCard(
            plan,
            "A decision tree for \(plan.task.rawValue), grown by mltrain \(mldVersion) in "
                + "\(fixed(scores.durationS, 1)) s. Its rules are in `tree.txt`.")
        card.addData(plan, prepared.outline, dataset)
        card.add(
            "Model",
            [
                "\(tree.nodes.count) nodes, \(tree.leafCount) leaves, \(tree.depth) questions deep, by \(prepared.criterion)"
            ]
                + importances)
        func row(_ name: String, _ scores: Evaluation) -> ModelCard.Row {
            .init(name: name, samples: scores.samples, loss: nil, accuracy: scores.value("accuracy"))
        }
        card.addResults(
            [row("training", scores.train)] + (scores.validation.map { [row("validation", $0)] } ?? []),
            test: scores.test)
        return card
    }

    /// The features that matter most.
    private var importances: [String] {
        tree.importances.enumerated().filter { $0.element > 0 }.sorted {
            ($1.element, $0.offset) < ($0.element, $1.offset)
        }
        .prefix(10).map { index, value in
            "`\(index < features.count ? features[index] : "x[\(index)]")`: \(fixed(100 * value, 1)) % of what the "
                + "questions tell apart"
        }
    }
}
