import ArgumentParser
import JobAPI
import Training

struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make samples with a trained generator.",
        discussion: """
            Example: mltrain generate gan --count 1000 --output made-up.idx
            With the suffix .png, OUTPUT is a grid of the pictures; else they are in the IDX format, which mltrain predict reads. \
            Without it, the numbers are printed as JSON.
            """)

    @Argument(help: "The directory that mltrain fit wrote.")
    var model: String

    @Option(help: "How many.")
    var count = 100

    @Option(help: "The same seed makes the same samples.")
    var seed: UInt64 = 1

    @Option(name: .shortAndLong, help: "The file to write.")
    var output: String?

    @Option(help: "Threads to compute with.")
    var threads = 1

    func validate() throws {
        guard (1...1024).contains(threads) else { throw ValidationError("--threads must be from 1 to 1024") }
        guard (1...1_000_000).contains(count) else { throw ValidationError("--count must be from 1 to 1000000") }
    }

    func run() throws {
        try reporting {
            let maker = try SampleMaker(try SavedModel(reading: model), threads: threads)
            let rows = try maker.make(count, seed: seed)
            if let output { return try maker.write(rows, to: output) }
            let width = rows.values.count / rows.count
            print(try JSON.text((0..<rows.count).map { Array(rows.values[($0 * width)..<(($0 + 1) * width)]) }))
        }
    }
}
