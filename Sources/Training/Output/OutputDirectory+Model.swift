import Datasets
import JobAPI

extension OutputDirectory {
    /// Writes a model of any form: what it learnt, and what every model has.
    ///
    /// - Parameter learnt: files of weights or of rules.
    func write(
        _ preprocessing: Preprocessing, metrics: some Encodable, model: ModelFile, card: ModelCard,
        learnt: () throws -> [(name: String, bytes: [UInt8])]
    ) throws(TrainingError) {
        let files: [(name: String, bytes: [UInt8])]
        do {
            files =
                try learnt() + [
                    ("preprocess.json", try OutputDirectory.json(preprocessing)),
                    ("metrics.json", try OutputDirectory.json(metrics)),
                    (ModelFile.fileName, Array(model.text.utf8)),
                    ("card.md", Array(card.text.utf8)),
                ]
        } catch {
            throw TrainingError(.output, "cannot describe the model: \(error)")
        }
        try write(files)
    }

    static func json(_ value: some Encodable) throws -> [UInt8] {
        Array(try JSON.text(value, pretty: true).utf8) + [10]
    }
}
