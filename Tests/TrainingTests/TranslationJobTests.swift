import ConfigFile
import FoundationEssentials
import Glibc
import JobAPI
import Learning
import Tensors
import Testing

@testable import Training

/// An encoder-decoder as a job: sentences of several lengths, translated greedily.
@Suite struct TranslationJobTests {
    /// Words of a made-up language and what they mean. In translations the order of the words is reversed.
    private static let words = [
        ("ba", "one"), ("ke", "two"), ("lo", "three"), ("mi", "four"), ("nu", "five"), ("po", "six"), ("ra", "seven"),
        ("su", "eight"),
    ]

    private struct Pair {
        var source: String
        var target: String
    }

    /// Sentences of 2 to 6 words, from a simple recurrence.
    private func pairs(_ count: Int, seed: UInt64) -> [Pair] {
        var state = seed
        return (0..<count).map { index in
            let words = (0..<(2 + index % 5)).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return TranslationJobTests.words[Int(state >> 33) % TranslationJobTests.words.count]
            }
            return Pair(
                source: words.map(\.0).joined(separator: " "), target: words.map(\.1).reversed().joined(separator: " "))
        }
    }

    /// - Returns: the test sentences.
    private func makeData(_ workshop: Workshop, train: Int) throws -> [Pair] {
        let test = pairs(30, seed: 99)
        for (name, pairs) in [("train", pairs(train, seed: 11)), ("val", pairs(20, seed: 55)), ("test", test)] {
            try workshop.write("\(name).src", pairs.map { $0.source + "\n" }.joined())
            try workshop.write("\(name).tgt", pairs.map { $0.target + "\n" }.joined())
        }
        return test
    }

    private func job(_ path: String, epochs: Int, extra: String = "") -> String {
        """
        name = "made-up-language"
        [resources]
        cpus = 2
        memory = "1 GiB"
        [train]
        task = "translation"
        epochs = \(epochs)
        batch-size = 16
        optimizer = { name = "adam", learning-rate = 0.01, beta-2 = 0.98, clip-norm = 1.0 }
        schedule = { name = "inverse-square-root", warmup-steps = 50 }
        loss = { name = "sparse-categorical-crossentropy", label-smoothing = 0.05, ignoring = 0 }
        metrics = ["accuracy", "bleu"]
        seed = 3
        \(extra)
        [data]
        reader = "parallel-text"
        path = "\(path)"
        source = "train.src"
        target = "train.tgt"
        validation-source = "val.src"
        validation-target = "val.tgt"
        test-source = "test.src"
        test-target = "test.tgt"
        bucket-lengths = [4, 6]
        maximum-length = 9
        \(words("source-words", input: "input-1"))
        [[model.layer]]
        type = "positional-encoding"
        [[model.layer]]
        name = "encoded"
        type = "transformer-encoder"
        num-heads = 2
        d-model = 16
        units = 32
        \(words("target-words", input: "input-2"))
        [[model.layer]]
        name = "target"
        type = "positional-encoding"
        [[model.layer]]
        name = "decoder"
        type = "transformer-decoder"
        inputs = ["target", "encoded"]
        num-heads = 2
        d-model = 16
        units = 32
        dropout = \(extra.isEmpty ? 0.0 : 0.1)
        [[model.layer]]
        type = "tied-dense"
        embedding = "target-words"
        activation = "softmax"
        """
    }

    private func words(_ name: String, input: String) -> String {
        """
        [[model.layer]]
        name = "\(name)"
        type = "embedding"
        input = "\(input)"
        input-dim = 12
        output-dim = 16
        mask-zero = true
        scale = 4
        initializer = "normal"
        initializer-scale = 0.25
        """
    }

    @Test func learnsALanguageAndTranslatesNewSentences() throws {
        let workshop = try Workshop()
        let test = try makeData(workshop, train: 400)
        let job = try workshop.write("job.toml", job(workshop.path, epochs: 60))
        let model = workshop.path + "/model"
        let run = try Program.run(["fit", job, "--output", model], in: workshop)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("400 training, 20 validation, 30 test samples of 9 and 9 and shorter, 12 classes"))
        // Two embeddings of 12x16, and the second one's matrix at the end again, with a bias of its own.
        #expect(run.output.contains("layer   tied-dense-7 -> 9x12, 12 parameters"), "\(run.output)")

        struct Written: Decodable {
            struct Figures: Decodable {
                var samples: Int
                var loss: Double
                var accuracy: Double
                var bleu: Double?
            }
            var validation: Figures
            var test: Figures
            var samplesSeen: Int
        }
        let written = try JSON.decode(Written.self, from: Data(try Workshop.read(model + "/metrics.json")))
        #expect(written.samplesSeen == 60 * 400)
        #expect(written.test.samples == 30 && written.test.accuracy > 0.9)
        #expect(written.validation.samples == 20 && written.validation.bleu == nil)
        let bleu = try #require(written.test.bleu)
        #expect(bleu > 80 && bleu <= 100)

        // The same translations from the saved model, line by line.
        let sentences = try workshop.write("new.txt", test.map { $0.source + "\n" }.joined())
        let predicted = try Program.run(["predict", model, sentences], in: workshop)
        let lines = predicted.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        try #require(lines.count == 30, "\(predicted.errors)")
        func tokens(_ text: some StringProtocol) -> [String] { text.split(separator: " ").map { String($0) } }
        let again = try BLEU(translations: lines.map { tokens($0) }, references: test.map { tokens($0.target) })
        #expect(abs(again.score - bleu) < 1e-6)
        #expect(zip(lines, test).count { $0 == $1.target } >= 24, "\(predicted.output)")

        let one = try workshop.write("one.txt", "ke ba\nlo mi nu\n")
        #expect(try Program.run(["predict", model, one], in: workshop).output == "one two\nfive four three\n")
        let json = try Program.run(["predict", model, one, "--format", "json"], in: workshop)
        #expect(json.output == #"{"translations":["one two","five four three"]}"# + "\n")
    }

    /// No sentence of the data need fill the longest of the buckets.
    @Test func bucketsMayBeLongerThanAnySentence() throws {
        let workshop = try Workshop()
        _ = try makeData(workshop, train: 40)
        let text = job(workshop.path, epochs: 1)
            .replacing("bucket-lengths = [4, 6]", with: "bucket-lengths = [4, 12, 20]")
            .replacing("maximum-length = 9", with: "maximum-length = 42")
        let run = try Program.run(
            ["fit", try workshop.write("job.toml", text), "--output", workshop.path + "/model"], in: workshop)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("of 12 and 12 and shorter"), "\(run.output)")
    }

    /// Test sentences taken from the training files are judged against the lines they are.
    @Test func translatesWhatIsHeldOutOfTheTrainingFiles() throws {
        let workshop = try Workshop()
        _ = try makeData(workshop, train: 400)
        let text = job(workshop.path, epochs: 60)
            .replacing("test-source = \"test.src\"\ntest-target = \"test.tgt\"\n", with: "test-split = 0.1\n")
        let job = try workshop.write("job.toml", text)
        let run = try Program.run(["fit", job, "--output", workshop.path + "/model"], in: workshop)
        #expect(run.status == 0, "\(run.errors)")

        struct Written: Decodable {
            struct Figures: Decodable {
                var samples: Int
                var accuracy: Double
                var bleu: Double
            }
            var test: Figures
        }
        let metrics = try Workshop.read(workshop.path + "/model/metrics.json")
        let test = try JSON.decode(Written.self, from: Data(metrics)).test
        #expect(test.samples == 40)
        // Sentences judged against other lines would score next to nothing.
        #expect(test.bleu > 80 && test.bleu <= 100, "accuracy \(test.accuracy)")
    }

    @Test func threadsDoNotChangeTheWeights() throws {
        let workshop = try Workshop()
        _ = try makeData(workshop, train: 90)
        let job = try workshop.write("job.toml", job(workshop.path, epochs: 4, extra: "shards = 3"))
        var weights: [[UInt8]] = []
        for threads in 1...2 {
            let model = workshop.path + "/model-\(threads)"
            let run = try Program.run(["fit", job, "--output", model, "--threads", "\(threads)"], in: workshop)
            #expect(run.status == 0, "\(run.errors)")
            weights.append(try Workshop.read(model + "/weights.safetensors"))
        }
        #expect(weights[0] == weights[1])
    }

    /// Batches come from buckets of three lengths, in an order that is part of where training stood.
    @Test func stopsAndGoesOnAsIfItHadNot() throws {
        let workshop = try Workshop()
        _ = try makeData(workshop, train: 90)
        let job = try workshop.write("job.toml", job(workshop.path, epochs: 150, extra: "checkpoint-every = 1000"))
        #expect(try Program.run(["fit", job, "--output", workshop.path + "/a"], in: workshop).status == 0)
        let running = try Program.start(["fit", job, "--output", workshop.path + "/b"], in: workshop)
        running.prints("epoch 2/")
        kill(running.pid, SIGTERM)
        let stopped = running.wait()
        #expect(stopped.status == 143, "\(stopped.errors)")
        #expect(Workshop.names(in: workshop.path + "/b") == ["checkpoint.safetensors"])
        let again = try Program.run(["fit", job, "--output", workshop.path + "/b", "--threads", "2"], in: workshop)
        #expect(again.status == 0 && again.output.contains("going on after step "), "\(again.errors)")
        #expect(
            try Workshop.read(workshop.path + "/a/weights.safetensors")
                == Workshop.read(workshop.path + "/b/weights.safetensors"))
    }

    @Test func wrongJobsSayWhy() throws {
        let workshop = try Workshop()
        _ = try makeData(workshop, train: 40)
        func found(_ change: (String) -> String) -> [String] {
            let text = change(job(workshop.path, epochs: 1))
            return problems { () throws(ConfigProblems) in
                _ = try TrainingPlan.parse(try JobFile.parse(text), file: "job.toml").prepared()
            }
        }
        #expect(found { $0 } == [])
        // The words of the second language, too many for its embedding and for the output that shares its matrix.
        let small = found { $0.replacing("\"input-2\"\ninput-dim = 12", with: "\"input-2\"\ninput-dim = 11") }
        #expect(small.contains { $0.contains("layer \"target-words\" knows 11 numbers, but the data have 12") })
        #expect(small.contains { $0.contains("the last layer has 11 units") }, "\(small)")
        let untied = found { $0.replacing("embedding = \"target-words\"", with: "embedding = \"words\"") }
        #expect(untied.contains { $0.contains("\"words\"") }, "\(untied)")
        let heads = found { $0.replacing("num-heads = 2", with: "num-heads = 3") }
        #expect(heads.contains { $0.contains("\"d-model\" (16) must be a multiple of \"num-heads\" (3)") }, "\(heads)")
    }
}
