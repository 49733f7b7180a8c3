import FoundationEssentials
import Glibc
import JobAPI
import Testing

@testable import Training

/// Ratings and recordings as whole jobs.
@Suite struct ReaderJobTests {
    // MARK: - Ratings

    private func factorization(_ path: String, data: String, users: Int, items: Int) -> String {
        """
        name = "likes"
        [train]
        task = "regression"
        epochs = 60
        batch-size = 16
        optimizer = { name = "adam", learning-rate = 0.02 }
        loss = "mean-squared-error"
        metrics = ["rmse", "r2"]
        seed = 2
        [data]
        reader = "ratings"
        \(data)
        test-split = 0.2
        validation-split = 0.1
        [[model.layer]]
        name = "user"
        type = "embedding"
        input = "input-1"
        input-dim = \(users)
        output-dim = 3
        initializer = "normal"
        initializer-scale = 0.3
        [[model.layer]]
        name = "item"
        type = "embedding"
        input = "input-2"
        input-dim = \(items)
        output-dim = 3
        initializer = "normal"
        initializer-scale = 0.3
        [[model.layer]]
        type = "dot"
        inputs = ["user", "item"]
        [[model.layer]]
        type = "flatten"
        """
    }

    private struct Written: Decodable {
        struct Figures: Decodable {
            var samples: Int
            var loss: Double
            var rmse: Double?
            var r2: Double?
            var accuracy: Double?
            var confusion: [[Int]]?
        }
        var validation: Figures
        var test: Figures
    }

    private func written(_ model: String) throws -> Written {
        try JSON.decode(Written.self, from: Data(try Workshop.read(model + "/metrics.json")))
    }

    /// Ratings are products of the numbers of user and item, so that one factor explains them all.
    @Test func factorizesATableOfRatings() throws {
        let workshop = try Workshop()
        let (users, items) = (14, 11)
        func rating(_ user: Int, _ item: Int) -> Double { 0.5 + Double(user % 5) * Double(item % 4 + 1) / 4 }
        var lines = ["when,film,stars,who"]
        for user in 0..<users { for item in 0..<items { lines.append("7,f\(item),\(rating(user, item)),u\(user)") } }
        try workshop.write("likes.csv", lines.joined(separator: "\n") + "\n")
        let data = """
            path = "\(workshop.path)"
            file = "likes.csv"
            user = "who"
            item = "film"
            rating = "stars"
            """
        let job = try workshop.write(
            "job.toml", factorization(workshop.path, data: data, users: users, items: items))
        let model = workshop.path + "/model"
        let run = try Program.run(["fit", job, "--output", model], in: workshop)
        #expect(run.status == 0, "\(run.errors)")
        let test = try written(model).test
        #expect(test.samples == 31)
        let rmse = try #require(test.rmse)
        #expect(rmse < 0.3, "\(run.output)")
        #expect(abs(test.loss - rmse * rmse) < 1e-5)
        #expect(try #require(test.r2) > 0.95 && test.accuracy == nil)

        // Pairs as the model takes them, by the numbers that preprocess.json gives their names.
        let pairs = [(4, 3), (0, 0), (9, 7), (3, 2)]
        let new = try workshop.write("new.json", "[" + pairs.map { "[\($0), \($1)]" }.joined(separator: ", ") + "]")
        let predicted = try Program.run(["predict", model, new], in: workshop)
        let values = predicted.output.split(separator: "\n").compactMap { Double($0) }
        try #require(values.count == pairs.count, "\(predicted.errors)")
        for (value, pair) in zip(values, pairs) { #expect(abs(value - rating(pair.0, pair.1)) < 1) }
        #expect(values[0] > values[3] && values[3] > values[1])

        // A user that the embedding has no row for.
        let unknown = try workshop.write("unknown.json", "[[\(users), 0]]")
        let refused = try Program.run(["predict", model, unknown], in: workshop)
        #expect(refused.status == 1 && refused.errors.contains("knows 0 to \(users - 1)"), "\(refused.errors)")
        let small = try workshop.write(
            "small.toml", factorization(workshop.path, data: data, users: users - 1, items: items))
        let check = try Program.run(["check", small], in: workshop)
        #expect(check.status == 1 && check.errors.contains("layer \"user\" knows \(users - 1) numbers"))
    }

    /// Of generated ratings the smallest possible error is known: the noise.
    @Test func comesNearTheNoiseOfGeneratedRatings() throws {
        let workshop = try Workshop()
        let data = "users = 30\nitems = 20\nrank = 2\nnoise = 0.2\nratings = 500"
        let job = try workshop.write("job.toml", factorization(workshop.path, data: data, users: 30, items: 20))
        let model = workshop.path + "/model"
        let run = try Program.run(["fit", job, "--output", model], in: workshop)
        #expect(run.status == 0, "\(run.errors)")
        let figures = try written(model)
        #expect(figures.test.samples == 100 && figures.validation.samples == 40)
        let rmse = try #require(figures.test.rmse)
        #expect(rmse > 0.15 && rmse < 0.6, "\(run.output)")
    }

    // MARK: - Recordings

    /// A tone of so many periods in a hundred samples, as 16-bit PCM or as 32-bit floats.
    private func wave(
        _ periods: Double, phase: Double, count: Int = 200, rate: Int = 8000, isFloat: Bool = false, channels: Int = 1
    ) -> [UInt8] {
        func little(_ value: Int, _ bytes: Int) -> [UInt8] {
            (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        let bytes = isFloat ? 4 : 2
        let data = (0..<count).flatMap { index -> [UInt8] in
            let value = 0.6 * sin(2 * .pi * (periods * Double(index) / 100 + phase))
            let sample =
                isFloat ? little(Int(Float(value).bitPattern), 4) : little(Int((value * 32767).rounded()), 2)
            return (0..<channels).flatMap { _ in sample }
        }
        let format =
            little(isFloat ? 3 : 1, 2) + little(channels, 2) + little(rate, 4) + little(rate * channels * bytes, 4)
            + little(channels * bytes, 2) + little(8 * bytes, 2)
        return Array("RIFF".utf8) + little(36 + data.count, 4) + Array("WAVEfmt ".utf8) + little(16, 4) + format
            + Array("data".utf8) + little(data.count, 4) + data
    }

    private func waveNet(_ path: String, data: String = "") -> String {
        """
        name = "tones"
        [train]
        epochs = 12
        batch-size = 8
        optimizer = { name = "adam", learning-rate = 0.01, clip-norm = 1.0 }
        metrics = ["accuracy", "confusion"]
        seed = 1
        [data]
        reader = "audio"
        path = "\(path)"
        pattern = "{label}_{speaker}_{take}.wav"
        test-field = "take"
        test-values = [0, 1]
        sample-count = 120
        normalize = "rms"
        validation-split = 0.2
        \(data)
        [[model.layer]]
        type = "conv-1d"
        filters = 6
        kernel-size = 3
        padding = "causal"
        [[model.layer]]
        name = "net"
        type = "wavenet"
        filters = 6
        dilations = [1, 2, 4]
        [[model.layer]]
        type = "relu"
        [[model.layer]]
        type = "global-average-pooling-1d"
        [[model.layer]]
        type = "dense"
        units = 2
        activation = "softmax"
        """
    }

    @Test func tellsTonesApart() throws {
        let workshop = try Workshop()
        mkdir(workshop.path + "/sounds", 0o700)
        for speaker in 0..<4 {
            for take in 0..<5 {
                let phase = Double(speaker) / 4 + Double(take) / 23
                for (label, periods) in [("low", 4.0), ("high", 17.0)] {
                    try workshop.write(
                        "sounds/\(label)_s\(speaker)_\(take).wav",
                        wave(periods + 0.2 * Double(speaker), phase: phase, count: 90 + 30 * take))
                }
            }
        }
        try workshop.write("sounds/README", "not a recording")
        let sounds = workshop.path + "/sounds"
        let job = try workshop.write("job.toml", waveNet(sounds))
        let model = workshop.path + "/model"
        let run = try Program.run(["fit", job, "--output", model], in: workshop)
        #expect(run.status == 0, "\(run.errors)")
        // 24 recordings are left beside the 16 of takes 0 and 1.
        let figures = try written(model)
        #expect(figures.validation.samples == 5 && figures.test.samples == 16)
        #expect(figures.test.accuracy == 1 && figures.test.confusion == [[8, 0], [0, 8]], "\(run.output)")

        // New recordings, louder or softer, longer or shorter, of another format.
        func predict(_ name: String, _ bytes: [UInt8]) throws -> Program {
            try Program.run(["predict", model, try workshop.write(name, bytes)], in: workshop)
        }
        let low = try predict("a.wav", wave(4.3, phase: 0.4))
        #expect(low.output.hasPrefix("low 0.") || low.output.hasPrefix("low 1."), "\(low.output)\(low.errors)")
        let high = try predict("b.wav", wave(17.3, phase: 0.9, count: 333, isFloat: true, channels: 2))
        #expect(high.output.hasPrefix("high "), "\(high.output)\(high.errors)")
        let fast = try predict("c.wav", wave(4, phase: 0, rate: 16_000))
        #expect(fast.status == 1 && fast.errors.contains("16000 samples a second, not 8000"), "\(fast.errors)")
        let cut = try predict("d.wav", Array(wave(4, phase: 0).prefix(100)))
        #expect(cut.status == 1 && cut.errors.contains("d.wav") && cut.errors.contains("cut short"), "\(cut.errors)")

        // The block's layers carry its name.
        let saved = try SafetensorsFile(reading: model + "/weights.safetensors")
        #expect(saved.arrays["net.conv-1.kernel"]?.shape == [2, 6, 12])
        #expect(saved.arrays["net.residual-3.kernel"] == nil && saved.arrays["net.skip-3.kernel"] != nil)
    }

    @Test func wrongRecordingsSayWhy() throws {
        let workshop = try Workshop()
        for take in 0..<4 {
            for label in ["a", "b"] { try workshop.write("\(label)_s_\(take).wav", wave(5, phase: 0)) }
        }
        func check(_ data: String = "", _ change: (String) -> String = { $0 }) throws -> String {
            let job = try workshop.write("job.toml", change(waveNet(workshop.path, data: data)))
            return try Program.run(["check", job], in: workshop).errors
        }
        #expect(try check() == "")
        #expect(try check { $0.replacing("[0, 1]", with: "[8, 9]") }.contains("no file is left for the test"))
        #expect(
            try check { $0.replacing("\"take\"", with: "\"taker\"") }.contains(
                "\"data.test-field\" is \"taker\", but the pattern has label, speaker, take"))
        #expect(try check { $0.replacing("{label}_", with: "{word}_") }.contains("has no {label}"))
        try workshop.write("c.wav", wave(5, phase: 0))
        #expect(try check().contains("c.wav: the name does not match \"{label}_{speaker}_{take}.wav\""))
    }
}
