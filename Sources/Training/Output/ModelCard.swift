import Datasets
import Tensors

/// `card.md`, what there is to know of a model. Facts only: each is from the job, the data or the run.
struct ModelCard {
    /// One line of the results.
    struct Row {
        var name: String
        var samples: Int
        var loss: Double?
        var accuracy: Double?
    }

    private var lines: [String]

    /// - Parameter opening: what was trained, how and how long, in a sentence.
    init(_ plan: TrainingPlan, _ opening: String) {
        lines = ["# \(plan.name ?? "Model")", "", opening]
    }

    mutating func add(_ title: String, _ facts: [String]) {
        lines += ["", "## \(title)", ""] + facts.map { "- " + $0 }
    }

    mutating func addData(_ plan: TrainingPlan, _ outline: DatasetOutline, _ dataset: Dataset) {
        add(
            "Data",
            plan.data.files.map { "\($0.role): `\($0.path)`" } + [
                "\(outline.trainCount) training, \(outline.validationCount) validation and \(outline.testCount) "
                    + "test samples of shape \(outline.inputs.map(\.description).joined(separator: " and "))",
                "the split is drawn with seed \(plan.seed)",
            ] + dataset.preprocessing.facts + dataset.notes)
    }

    /// - Parameter rows: of training and validation.
    mutating func addResults(_ rows: [Row], test: Evaluation?) {
        var rows = rows
        if let test {
            rows.append(
                Row(name: "test", samples: test.samples, loss: test.loss, accuracy: test.value("accuracy")))
        }
        lines += ["", "## Results", "", "| split | samples | loss | accuracy |", "|---|---|---|---|"]
        func cell(_ value: Double?) -> String { value.map { fixed($0, 4) } ?? "" }
        for row in rows { lines.append("| \(row.name) | \(row.samples) | \(cell(row.loss)) | \(cell(row.accuracy)) |") }
        guard let test else { return }
        if !test.values.isEmpty { lines += [""] + test.values.map { "- test \($0.name): \(fixed($0.value, 4))" } }
        lines += ["", "The test samples were evaluated once, after training."]
    }

    var text: String { lines.joined(separator: "\n") + "\n" }
}
