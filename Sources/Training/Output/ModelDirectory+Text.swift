import ConfigFile
import Datasets
import JobAPI
import Learning
import Tensors
import Units

// The two files for people.
extension ModelDirectory {
    /// The model as `[[model.layer]]` sections, which a job file may repeat.
    var modelFile: String {
        var lines = [
            "# Written by mltrain \(mldVersion). The weights are in weights.safetensors, under the layers' names.",
            "task = \(quoted(plan.task.rawValue))",
            "input-shape = [\(model.input.shape.dimensions.map(String.init).joined(separator: ", "))]",
            "parameters = \(model.plan.learntCount)",
        ]
        for (name, table) in plan.written {
            lines += ["", "[[model.layer]]", "name = \(quoted(name))"]
            for item in table.entries where item.key != "name" {
                if let value = text(item.node) { lines.append("\(item.key) = \(value)") }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Facts only: each is from the job, the data or the run.
    var card: String {
        var lines = ["# \(plan.name ?? "Model")", ""]
        lines.append(
            "A model for \(plan.task.rawValue), trained by mltrain \(mldVersion) with OpenBLAS "
                + "on \(outcome.threads) thread\(outcome.threads == 1 ? "" : "s") in \(fixed(outcome.seconds, 1)) s.")
        lines += ["", "## Data", ""]
        for file in plan.data.files { lines.append("- \(file.role): `\(file.path)`") }
        let outline = prepared.outline
        lines.append(
            "- \(outline.trainCount) training, \(outline.validationCount) validation and \(outline.testCount) "
                + "test samples of shape \(outline.inputs.map(\.description).joined(separator: " and "))")
        lines.append("- the split is drawn with seed \(plan.seed)")
        for fact in dataset.preprocessing.facts + dataset.notes { lines.append("- " + fact) }
        lines += ["", "## Model", ""]
        for (index, node) in model.network.nodes.enumerated() {
            lines.append("- `\(node.name)`: \(node.layer.kind), output \(prepared.shapes[index])")
        }
        lines.append("- \(model.plan.learntCount) parameters, 32-bit floats")
        lines += ["", "## Training", ""]
        lines.append(
            "- \(plan.loss.name), optimizer \(plan.optimizer.name), batch size \(plan.batchSize), seed \(plan.seed), "
                + "\(model.shards) shards")
        lines.append(
            "- \(outcome.fit.history.count) of \(plan.epochs) epochs"
                + (outcome.fit.stoppedEarly ? ", stopped early" : "")
                + "; the weights are those after epoch \(outcome.fit.weightsEpoch)")
        lines += ["", "## Results", "", "| split | samples | loss | accuracy |", "|---|---|---|---|"]
        if let epoch = outcome.fit.history.first(where: { $0.epoch == outcome.fit.weightsEpoch }) {
            lines.append(row("training (while it learned)", epoch.train))
            if let validation = epoch.validation { lines.append(row("validation", validation)) }
        }
        if let test = outcome.test {
            lines.append(row("test", test.totals))
            lines += [""] + test.values.map { "- test \($0.name): \(fixed($0.value, 4))" }
        }
        lines.append("")
        if outcome.test != nil { lines.append("The test samples were evaluated once, after training.") }
        return lines.joined(separator: "\n") + "\n"
    }

    private func row(_ name: String, _ totals: Totals) -> String {
        "| \(name) | \(totals.samples) | \(fixed(totals.meanLoss, 4)) | \(fixed(totals.accuracy, 4)) |"
    }

    /// A value of a layer's table in TOML; nil for kinds that layers do not have.
    private func text(_ node: ConfigNode) -> String? {
        switch node.value {
        case .string(let value): return quoted(value)
        case .integer(let value): return String(value)
        case .float(let value): return "\(value)"
        case .boolean(let value): return value ? "true" : "false"
        case .array(let elements):
            let texts = elements.compactMap { text($0) }
            return texts.count == elements.count ? "[" + texts.joined(separator: ", ") + "]" : nil
        case .timestamp, .table: return nil
        }
    }

    private func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\" + String(scalar)
            case "\u{0}"..."\u{1f}", "\u{7f}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
