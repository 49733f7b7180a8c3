import ArgumentParser
import Datasets
import JobAPI
import Training

struct Predict: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what a trained model says of new samples.",
        discussion: """
            Example: mltrain predict model patients.csv
            SAMPLES is what the model was trained on, without what is to be predicted: a table, sentences one a line, pictures in \
            the IDX format, a WAV file. It is prepared as the training data were. Or, with the suffix .json, an array of samples \
            as the model takes them.
            """)

    @Argument(help: "The directory that mltrain fit wrote.")
    var model: String

    @Argument(help: "The file with the samples.")
    var samples: String

    @Option(help: "table or json.")
    var format = OutputFormat.table

    @Option(help: "Threads to compute with.")
    var threads = 1

    func validate() throws {
        if !(1...1024).contains(threads) { throw ValidationError("--threads must be from 1 to 1024") }
    }

    private struct Answer: Encodable {
        var classes: [String]?
        var outputs: [[Float]]?
        var translations: [String]?
    }

    func run() throws {
        try reporting {
            let saved = try SavedModel(reading: model)
            let predictor = try Predictor(saved, threads: threads)
            if predictor.translates, !samples.hasSuffix(".json") {
                let translations = try predictor.translate(try NewSamples.lines(samples))
                if format == .json { return print(try JSON.text(Answer(translations: translations))) }
                for line in translations { print(line) }
                return
            }
            let outputs = try predictor.outputs(try NewSamples.read(samples, for: saved))
            let classes = saved.preprocessing.classes
            if format == .json { return print(try JSON.text(Answer(classes: classes, outputs: outputs))) }
            for output in outputs { print(PredictionText.line(output, classes: classes)) }
        }
    }
}

/// How programs and people get results.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case table, json }
