import ConfigFile
import Datasets
import Glibc
import Learning

// [data]
extension TrainingPlan {
    mutating func readData(_ reader: ConfigReader) {
        lines.path = reader.line(of: "path")
        lines.split = reader.line(of: "validation-split")
        if let kind: Data.Reader = reader.choice("reader") {
            data.reader = kind
        } else if reader.table["reader"] == nil {
            reader.missing("reader", example: "\"idx\"")
        }
        let path = reader.string("path")
        if reader.table["path"] == nil { reader.missing("path", example: "\"/usr/share/datasets/fashion-mnist\"") }
        if let kind: Normalization.Kind = reader.choice("normalize") { data.normalization = kind }
        if let split = reader.number("validation-split", in: 0...0.99) { data.validationSplit = split }
        if let rule = earlyStopping, rule.monitor.needsValidation, data.validationSplit == 0 {
            reader.report(
                "validation-split",
                "early stopping watches \"\(rule.monitor.rawValue)\", but no sample is kept for validation",
                hint: "validation-split = 0.1")
        }

        func file(_ key: String, _ standard: String) -> (path: String, isNamed: Bool) {
            let name = reader.string(key)
            let directory = path ?? ""
            if let name { return (name.hasPrefix("/") ? name : directory + "/" + name, true) }
            let plain = directory + "/" + standard
            return (access(plain + ".gz", F_OK) == 0 ? plain + ".gz" : plain, false)
        }
        data.trainImages = file("train-images", "train-images-idx3-ubyte").path
        data.trainLabels = file("train-labels", "train-labels-idx1-ubyte").path
        let images = file("test-images", "t10k-images-idx3-ubyte")
        let labels = file("test-labels", "t10k-labels-idx1-ubyte")
        // A data set without a test part is fine, unless the job speaks of one.
        if images.isNamed || labels.isNamed || access(images.path, F_OK) == 0 || access(labels.path, F_OK) == 0 {
            data.test = (images.path, labels.path)
        }
        reader.finish()
    }
}
