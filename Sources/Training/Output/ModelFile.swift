import ConfigFile
import JobAPI

/// `model.toml`: the model's part of the job, in the form that a job file may repeat and ``SavedModel`` reads.
struct ModelFile {
    static let fileName = "model.toml"

    private var lines: [String]

    init(_ plan: TrainingPlan) {
        lines = [
            "# Written by mltrain \(mldVersion).",
            "task = \(ModelFile.quoted(plan.task.rawValue))",
        ]
    }

    mutating func add(_ key: String, _ value: String) { lines.append("\(key) = \(value)") }

    mutating func beginTable(_ name: String) { lines += ["", "[\(name)]"] }

    /// - Parameter section: `model.layer`, `model.generator` or the like.
    mutating func add(_ section: String, _ layers: LayerList) {
        for (name, table) in layers.written {
            lines += ["", "[[\(section)]]", "name = \(ModelFile.quoted(name))"]
            for item in table.entries where item.key != "name" {
                if let value = ModelFile.text(item.node) { lines.append("\(item.key) = \(value)") }
            }
        }
    }

    var text: String { lines.joined(separator: "\n") + "\n" }

    /// A value of a layer's table in TOML; nil for kinds that layers do not have.
    private static func text(_ node: ConfigNode) -> String? {
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

    static func quoted(_ text: String) -> String {
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
