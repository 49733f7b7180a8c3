import Datasets
import JobAPI

extension OutputDirectory {
    /// Writes a model of any form: what it learnt, and what every model has.
    ///
    /// - Parameter learnt: files of weights or of rules.
    func write(
        _ preprocessing: Preprocessing, metrics: some Encodable, model: ModelFile, card: ModelCard,
        learnt: () throws -> [OutputFile]
    ) throws(TrainingError) {
        let files: [OutputFile]
        do {
            files =
                try learnt() + [
                    OutputFile("preprocess.json", try OutputDirectory.json(preprocessing)),
                    OutputFile("metrics.json", try OutputDirectory.json(metrics)),
                    OutputFile(ModelFile.fileName, Array(model.text.utf8)),
                    OutputFile("card.md", Array(card.text.utf8)),
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
