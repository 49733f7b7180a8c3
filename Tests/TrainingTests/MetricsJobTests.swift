import ConfigFile
import Datasets
import FoundationEssentials
import Glibc
import JobAPI
import Learning
import Tensors
import Testing

@testable import Training

/// What whole jobs report of their models, held against numbers computed in another way.
@Suite struct MetricsJobTests {
    /// Two features that tell the classes apart only roughly, of which "yes" is the rarer one.
    private func table(_ count: Int) -> String {
        var state: UInt32 = 5
        func random() -> Double {
            state = state &* 1_664_525 &+ 1_013_904_223
            return Double(state >> 8) / Double(1 << 24)
        }
        var lines = ["x,y,answer,amount"]
        for _ in 0..<count {
            let (x, y) = (random(), random())
            let isYes = x + y + 0.8 * random() > 1.7
            lines.append("\(x),\(y),\(isYes ? "yes" : "no"),\(3 * x - y + 0.5 * random())")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func classification(
        _ path: String, metrics: String, loss: String = "\"binary-crossentropy\"", units: Int = 1
    ) -> String {
        """
        name = "answers"
        [train]
        epochs = 12
        batch-size = 16
        optimizer = { name = "adam", learning-rate = 0.05 }
        loss = \(loss)
        metrics = [\(metrics)]
        seed = 4
        [data]
        reader = "csv"
        path = "\(path)"
        file = "table.csv"
        target = "answer"
        ignore = ["amount"]
        test-split = 0.4
        validation-split = 0.2
        [[model.layer]]
        type = "dense"
        units = \(units)
        activation = "\(units == 1 ? "sigmoid" : "softmax")"
        """
    }

    private func regression(_ path: String, metrics: String) -> String {
        """
        name = "amounts"
        [train]
        task = "regression"
        epochs = 12
        batch-size = 16
        optimizer = { name = "adam", learning-rate = 0.05 }
        loss = "mean-squared-error"
        \(metrics)
        seed = 4
        [data]
        reader = "csv"
        path = "\(path)"
        file = "table.csv"
        target = "amount"
        target-type = "number"
        ignore = ["answer"]
        test-split = 0.4
        [[model.layer]]
        type = "dense"
        units = 1
        """
    }

    private struct Written: Decodable {
        struct Figures: Decodable {
            var samples: Int
            var loss: Double
            var accuracy: Double?
            var precision: Double?
            var recall: Double?
            var f1: Double?
            var auc: Double?
            var confusion: [[Int]]?
            var rmse: Double?
            var mae: Double?
            var r2: Double?
            var perplexity: Double?
        }
        var validation: Figures?
        var test: Figures
    }

    /// Runs a job and gives what it wrote, and what its saved model says of the test samples and what is right.
    private func trained(
        _ text: String, in workshop: Workshop
    ) throws -> (written: Written, targets: [Float], outputs: [[Float]], run: Program) {
        let job = try workshop.write("job.toml", text)
        let model = workshop.path + "/model"
        let run = try Program.run(["fit", job, "--output", model], in: workshop)
        try #require(run.status == 0, "\(run.errors)")
        let plan = try TrainingPlan.parse(try JobFile.parse(text), file: "job.toml")
        let bucket = try #require(try plan.data.load(seed: plan.seed).test.first)
        var rows = FloatRows()
        var targets: [Float] = []
        for index in bucket.indices {
            let start = bucket.samples.features.base + Int(index) * bucket.samples.width
            rows.append(UnsafeBufferPointer(start: start, count: bucket.samples.width))
            targets.append(bucket.samples.targets.base[Int(index)])
        }
        let outputs = try Predictor(try SavedModel(reading: model), threads: 1).outputs(rows)
        let written = try JSON.decode(Written.self, from: Data(try Workshop.read(model + "/metrics.json")))
        return (written, targets, outputs, run)
    }

    private func isNear(_ a: Double?, _ b: Double) -> Bool { a.map { abs($0 - b) < 1e-9 } ?? false }

    @Test(arguments: [
        (1, "\"binary-crossentropy\""), (2, "\"sparse-categorical-crossentropy\""),
    ])
    func twoClasses(units: Int, loss: String) throws {
        let workshop = try Workshop()
        try workshop.write("table.csv", table(250))
        let metrics = #""accuracy", "precision", "recall", "f1", "auc", "confusion""#
        let (written, targets, outputs, run) = try trained(
            classification(workshop.path, metrics: metrics, loss: loss, units: units), in: workshop)
        let test = written.test
        try #require(test.samples == 100 && targets.count == 100)
        #expect(written.validation?.samples == 30 && written.validation?.auc != nil)

        // Samples by right and predicted class, one by one.
        let scores = outputs.map { units == 1 ? $0[0] : $0[1] }
        var counts = [[0, 0], [0, 0]]
        for (target, score) in zip(targets, scores) { counts[target == 1 ? 1 : 0][score > 0.5 ? 1 : 0] += 1 }
        #expect(counts.joined().allSatisfy { $0 > 0 }, "\(counts)")
        #expect(test.confusion == counts)
        let (right, wrong, missed) = (Double(counts[1][1]), Double(counts[0][1]), Double(counts[1][0]))
        #expect(isNear(test.accuracy, (right + Double(counts[0][0])) / 100))
        #expect(isNear(test.precision, right / (right + wrong)))
        #expect(isNear(test.recall, right / (right + missed)))
        let (precision, recall) = (right / (right + wrong), right / (right + missed))
        #expect(isNear(test.f1, 2 / (1 / precision + 1 / recall)))

        // Each sample of the second class against each of the first.
        var won = 0.0
        var pairs = 0.0
        for (i, positive) in targets.enumerated() where positive == 1 {
            for (j, negative) in targets.enumerated() where negative == 0 {
                pairs += 1
                won += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0
            }
        }
        // Close outputs may change places with the size of the batch.
        #expect(abs((test.auc ?? 0) - won / pairs) < 2 / pairs)
        #expect(won / pairs > 0.75 && won < pairs)

        let crossentropy = zip(targets, scores).reduce(0) { $0 - log(Double($1.0 == 1 ? $1.1 : 1 - $1.1)) } / 100
        #expect(abs(test.loss - crossentropy) < 1e-5)

        let events = try run.events.split(separator: "\n").map {
            try JSON.decode(TrainingEvent.self, from: Data($0.utf8))
        }
        let reported = events.compactMap { event -> String? in
            if case .metric(let metric) = event, metric.split == "test" { metric.name } else { nil }
        }
        #expect(reported == ["loss", "accuracy", "precision", "recall", "f1", "auc"])
    }

    @Test func numbers() throws {
        let workshop = try Workshop()
        try workshop.write("table.csv", table(150))
        let (written, targets, outputs, _) = try trained(
            regression(workshop.path, metrics: #"metrics = ["rmse", "mae", "r2"]"#), in: workshop)
        let errors = zip(targets, outputs).map { Double($1[0]) - Double($0) }
        try #require(errors.count == 60)
        let squares = errors.reduce(0) { $0 + $1 * $1 }
        let mean = targets.reduce(0) { $0 + Double($1) } / 60
        // The variance as the mean of the squares less the square of the mean.
        let spread = targets.reduce(0) { $0 + Double($1) * Double($1) } - 60 * mean * mean
        let test = written.test
        #expect(abs((test.rmse ?? 0) - sqrt(squares / 60)) < 1e-5)
        #expect(abs((test.mae ?? 0) - errors.reduce(0) { $0 + abs($1) } / 60) < 1e-5)
        #expect(abs((test.r2 ?? 0) - (1 - squares / spread)) < 1e-5)
        #expect(abs(test.loss - squares / 60) < 1e-5)
        #expect(test.accuracy == nil && test.confusion == nil)
    }

    /// Of "a b c a b c ..." each word follows from the one before it, but for two that may follow "c".
    @Test func perplexityIsTheExponentialOfTheLoss() throws {
        let workshop = try Workshop()
        let sentences = (0..<120).map { "a b c" + ($0 * 7 % 5 < 2 ? " d a b c" : " a b c") }
        try workshop.write("train.txt", sentences.map { $0 + "\n" }.joined())
        let text = """
            name = "words"
            [train]
            task = "language-modelling"
            epochs = 10
            batch-size = 8
            optimizer = { name = "adam", learning-rate = 0.02 }
            metrics = ["accuracy", "perplexity"]
            [data]
            reader = "text"
            path = "\(workshop.path)"
            train = "train.txt"
            sequence-length = 9
            test-split = 0.2
            [[model.layer]]
            type = "embedding"
            input-dim = 7
            output-dim = 8
            [[model.layer]]
            type = "gpt-block"
            num-heads = 2
            d-model = 8
            units = 16
            [[model.layer]]
            type = "dense"
            units = 7
            activation = "softmax"
            """
        let job = try workshop.write("job.toml", text)
        let run = try Program.run(["fit", job, "--output", workshop.path + "/model"], in: workshop)
        #expect(run.status == 0, "\(run.errors)")
        let written = try JSON.decode(
            Written.self, from: Data(try Workshop.read(workshop.path + "/model/metrics.json")))
        let perplexity = try #require(written.test.perplexity)
        #expect(abs(perplexity - exp(written.test.loss)) < 1e-9)
        // Seven words, but little to be in doubt about.
        #expect(perplexity > 1 && perplexity < 2, "\(run.output)")
        #expect(isNear(written.validation?.perplexity, exp(written.validation?.loss ?? 0)))
    }

    @Test func metricsOfOtherDataAreRefused() throws {
        let workshop = try Workshop()
        try workshop.write("table.csv", table(40))
        func found(_ text: String) -> [String] {
            problems { () throws(ConfigProblems) in
                _ = try TrainingPlan.parse(try JobFile.parse(text), file: "job.toml").prepared()
            }
        }
        let path = workshop.path
        #expect(found(classification(path, metrics: "\"accuracy\"")) == [])
        #expect(
            found(classification(path, metrics: "\"rmse\", \"f1\", \"mae\", \"bleu\"")) == [
                "job.toml:2: train.metrics: rmse is of numbers, but the targets are classes",
                "job.toml:2: train.metrics: mae is of numbers, but the targets are classes",
                "job.toml:2: train.metrics: bleu is of translations",
            ])
        #expect(
            found(regression(path, metrics: #"metrics = ["r2", "confusion", "auc"]"#)) == [
                "job.toml:2: train.metrics: confusion is of classes, but the targets are numbers",
                "job.toml:2: train.metrics: auc is of two classes",
            ])
        #expect(
            found(classification(path, metrics: "\"acuracy\"")).first?.contains(
                "\"train.metrics\" has no \"acuracy\"; known: accuracy, precision") == true)
        #expect(
            found(classification(path, metrics: "\"acuracy\"")).first?.hasSuffix("did you mean \"accuracy\"?") == true)

        // Three classes have no curve.
        let three = table(40).split(separator: "\n").enumerated().map {
            $0 % 4 == 2 ? String($1).replacing("no", with: "maybe").replacing("yes", with: "maybe") : String($1)
        }
        try workshop.write("table.csv", three.joined(separator: "\n") + "\n")
        let loss = "\"sparse-categorical-crossentropy\""
        #expect(
            found(classification(path, metrics: "\"f1\", \"auc\"", loss: loss, units: 3)) == [
                "job.toml:2: train.metrics: auc is of two classes"
            ])
    }

    /// Without metrics of its own a regression is judged as trees are: no accuracy, which numbers do not have.
    @Test func regressionHasMetricsOfItsOwn() throws {
        let workshop = try Workshop()
        try workshop.write("table.csv", table(60))
        let test = try trained(regression(workshop.path, metrics: ""), in: workshop).written.test
        #expect(test.rmse != nil && test.r2 != nil && test.accuracy == nil)
    }

    /// After hours of training a curve that cannot be drawn must not cost the model.
    @Test func aPartWithOneClassHasNoCurve() throws {
        let workshop = try Workshop()
        var lines = ["x,y,answer,amount"]
        for i in 0..<30 { lines.append("\(i),\(i % 7),\(i < 20 ? "no" : "yes"),0") }
        try workshop.write("table.csv", lines.joined(separator: "\n") + "\n")
        // One test sample has one class.
        let text = classification(workshop.path, metrics: "\"accuracy\", \"auc\"")
            .replacing("test-split = 0.4", with: "test-split = 0.03")
        let test = try trained(text, in: workshop).written.test
        #expect(test.samples == 1 && test.auc == nil && test.accuracy != nil)
    }

    @Test func balancedWeightsAreThoseOfTheTrainingSamples() throws {
        let workshop = try Workshop()
        try workshop.write("table.csv", table(250))
        func job(_ weights: String) -> String {
            classification(
                workshop.path, metrics: "\"recall\"",
                loss: "{ name = \"binary-crossentropy\"\(weights.isEmpty ? "" : ", class-weights = \(weights)") }")
        }
        let plain = try trained(job(""), in: workshop)
        let balanced = try trained(job("\"balanced\""), in: workshop)
        // The rarer class is found more often.
        #expect(try #require(balanced.written.test.recall) > plain.written.test.recall ?? 1)

        let plan = try TrainingPlan.parse(try JobFile.parse(job("")), file: "job.toml")
        let train = try #require(try plan.data.load(seed: plan.seed).train.first)
        let yes = train.indices.count { train.samples.targets.base[Int($0)] == 1 }
        let all = Double(train.indices.count)
        #expect(train.indices.count == 120 && yes < 60)
        let spelt = try trained(job("[\(all / (2 * (all - Double(yes)))), \(all / (2 * Double(yes)))]"), in: workshop)
        #expect(spelt.outputs == balanced.outputs && spelt.outputs != plain.outputs)

        let wrong = problems { () throws(ConfigProblems) in
            _ = try TrainingPlan.parse(try JobFile.parse(job("\"balance\"")), file: "job.toml")
        }
        #expect(
            wrong == [
                "job.toml:6: \"train.loss.class-weights\" is \"balance\"; it must be \"balanced\" or numbers; "
                    + "did you mean \"balanced\"?"
            ])
    }

    /// Whatever the loss makes of the probabilities, the perplexity is of the probabilities alone.
    @Test(arguments: [
        (1, #"{ name = "binary-crossentropy", label-smoothing = 0.3 }"#),
        (2, #"{ name = "sparse-categorical-crossentropy", class-weights = [1, 5] }"#),
        (2, #""sparse-categorical-crossentropy""#),
    ])
    func perplexity(units: Int, loss: String) throws {
        let workshop = try Workshop()
        try workshop.write("table.csv", table(250))
        let text = classification(workshop.path, metrics: "\"perplexity\"", loss: loss, units: units)
        let (written, targets, outputs, _) = try trained(text, in: workshop)
        var sum = 0.0
        for (target, output) in zip(targets, outputs) {
            sum -= log(Double(units == 2 ? output[Int(target)] : target == 1 ? output[0] : 1 - output[0]))
        }
        let perplexity = try #require(written.test.perplexity)
        #expect(abs(perplexity - exp(sum / Double(targets.count))) < 1e-5)
    }

    /// A loss that counts no hits is no reason to report that nothing was hit.
    @Test func accuracyOfAnyLoss() throws {
        let workshop = try Workshop()
        try workshop.write("table.csv", table(250))
        let text = classification(
            workshop.path, metrics: #""accuracy", "confusion""#, loss: #""mean-squared-error""#)
        let (written, _, _, run) = try trained(text, in: workshop)
        let confusion = try #require(written.test.confusion)
        #expect(isNear(written.test.accuracy, Double(confusion[0][0] + confusion[1][1]) / 100))
        #expect((written.test.accuracy ?? 0) > 0.6, "\(run.output)")
    }

    @Test func whatTellsNothingIsRefused() throws {
        let workshop = try Workshop()
        try workshop.write("table.csv", table(250))
        func found(_ text: String) -> [String] {
            problems { () throws(ConfigProblems) in
                _ = try TrainingPlan.parse(try JobFile.parse(text), file: "job.toml").prepared()
            }
        }
        let plain = classification(workshop.path, metrics: #""accuracy""#, loss: #""mean-squared-error""#)
        #expect(found(plain) == [])
        let stopping = plain.replacing("seed = 4", with: "early-stopping = { monitor = \"val-accuracy\" }")
        #expect(
            found(stopping) == [
                "job.toml:8: the loss mean-squared-error tells no accuracy to watch; monitor = \"val-loss\""
            ])
        #expect(
            found(plain.replacing("\"accuracy\"", with: "\"perplexity\"")).first?.contains("perplexity is of prob")
                == true)
        let folds = plain.replacing("test-split = 0.4", with: "folds = 1000")
        #expect(found(folds).first?.contains("no sample falls into fold 0 of 1000") == true, "\(found(folds))")
        let pieces = plain.replacing(
            "seed = 4", with: "schedule = { name = \"piecewise-constant\", boundaries = [3], values = [] }")
        #expect(found(pieces).first?.contains("has 0 factors of the learning rate for 1 boundaries") == true)
        let normalised = plain.replacing("batch-size = 16", with: "batch-size = 4").replacing(
            "[[model.layer]]", with: "[[model.layer]]\ntype = \"batch-normalization\"\n[[model.layer]]")
        #expect(
            found(normalised) == [
                "job.toml:17: model: layer \"batch-normalization-1\" takes its means over each shard's samples, which is "
                    + "one sample with batch-size = 4 and shards = 4: its output would not depend on it; batch-size = 8 or "
                    + "more, or fewer shards"
            ])
    }
}
