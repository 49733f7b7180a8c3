import ConfigFile
import Learning
import Testing

@testable import Training

/// `train.optimizer`, `train.schedule` and `train.loss`.
@Suite struct LossPlanTests {
    private func plan(_ line: String) throws(ConfigProblems) -> TrainingPlan {
        let spec = try JobFile.parse(
            """
            [train]
            epochs = 1
            \(line)
            [data]
            reader = "idx"
            path = "/nowhere"
            [[model.layer]]
            type = "dense"
            units = 3
            activation = "softmax"
            """)
        return try TrainingPlan.parse(spec, file: "job.toml")
    }

    private func message(_ line: String) -> String {
        problems { () throws(ConfigProblems) in _ = try plan(line) }.joined(separator: "; ")
    }

    @Test func optimizers() throws {
        let adam = try #require(try plan("optimizer = { name = \"adam\", weight-decay = 0.1 }").optimizer as? Adam)
        #expect(adam.weightDecay == 0.1 && adam.learningRate == 0.001)
        let adamW = try #require(try plan("optimizer = { name = \"adamw\", beta-1 = 0.8 }").optimizer as? AdamW)
        #expect(adamW.adam.weightDecay == 0.004 && adamW.adam.beta1 == 0.8)
        #expect(try plan("optimizer = \"adamw\"").optimizer.name == "adamw")
        #expect(try plan("optimizer = \"rmsprop\"").optimizer.momentCount == 1)
        let rmsprop = try #require(
            try plan("optimizer = { name = \"rmsprop\", rho = 0.8, momentum = 0.9 }").optimizer as? RMSprop)
        #expect(rmsprop.rho == 0.8 && rmsprop.momentCount == 2)
        let sgd = try #require(try plan("optimizer = { name = \"sgd\", weight-decay = 1e-4 }").optimizer as? SGD)
        #expect(sgd.weightDecay == 1e-4)
    }

    @Test func clipping() throws {
        #expect(try plan("optimizer = { name = \"sgd\", clip-norm = 1 }").clipping == .globalNorm(1))
        #expect(try plan("optimizer = { name = \"sgd\", clip-value = 0.5 }").clipping == .value(0.5))
        #expect(try plan("optimizer = \"sgd\"").clipping == Clipping.none)
        #expect(
            message("optimizer = { name = \"sgd\", clip-norm = 1, clip-value = 1 }")
                .contains("exclude each other; keep clip-norm"))
        #expect(message("optimizer = { name = \"sgd\", clip-norm = 0 }").contains("must be between"))
    }

    @Test func schedules() throws {
        #expect(try plan("seed = 1").schedule.name == "constant")
        #expect(try plan("schedule = \"constant\"").schedule.name == "constant")
        func factor(_ table: String, _ step: Int) throws -> Float {
            try plan("schedule = { \(table) }").schedule.factor(step: step)
        }
        #expect(try factor("name = \"cosine-decay\", decay-steps = 10, alpha = 0.5, warmup-steps = 2", 1) == 0.5)
        #expect(try factor("name = \"cosine-decay\", decay-steps = 10, alpha = 0.5", 11) == 0.5)
        #expect(try factor("name = \"exponential-decay\", decay-steps = 2, decay-rate = 0.25", 2) == 0.5)
        #expect(
            try factor("name = \"exponential-decay\", decay-steps = 2, decay-rate = 0.25, staircase = true", 2) == 1)
        #expect(try factor("name = \"inverse-square-root\", warmup-steps = 4", 16) == 0.5)
        #expect(try factor("name = \"linear-warmup\", warmup-steps = 4", 2) == 0.5)
        #expect(try factor("name = \"piecewise-constant\", boundaries = [5], values = [1, 0.5]", 7) == 0.5)
    }

    @Test(arguments: [
        (
            "schedule = \"cosine-decay\"",
            "needs its steps; for example schedule = { name = \"cosine-decay\", decay-steps"
        ),
        ("schedule = \"cosine-decy\"", "did you mean \"cosine-decay\"?"),
        ("schedule = { name = \"cosine-decay\" }", "\"decay-steps\" is missing in [train.schedule]"),
        ("schedule = { decay-steps = 3 }", "\"name\" is missing in [train.schedule]"),
        ("schedule = { name = \"linear-warmup\", warmup-steps = 1, alpha = 0 }", "unknown key \"alpha\""),
        (
            "schedule = { name = \"piecewise-constant\", boundaries = [5, 3], values = [1, 2, 3] }",
            "must be steps, each later"
        ),
        ("schedule = { name = \"piecewise-constant\", boundaries = [5], values = [1] }", "it must have 2"),
        ("schedule = { name = \"piecewise-constant\", boundaries = [\"a\"], values = [1] }", "an array of numbers"),
        ("loss = { name = \"mean-squared-error\", label-smoothing = 0.1 }", "unknown key \"label-smoothing\""),
        ("loss = { name = \"huber\", delta = 0 }", "\"train.loss.delta\" is 0.0; it must be between"),
        ("loss = { label-smoothing = 0.1 }", "\"name\" is missing in [train.loss]"),
        (
            "loss = { name = \"binary-crossentropy\", class-weights = \"balance\" }",
            "it must be \"balanced\" or numbers; did you mean \"balanced\"?"
        ),
        ("loss = { name = \"binary-crossentropy\", class-weights = [1, -1] }", "has -1.0; it must be between"),
    ])
    func mistakesAreNamed(line: String, expected: String) {
        #expect(message(line).contains(expected), "\(message(line))")
    }

    @Test func losses() throws {
        for name in [
            "binary-crossentropy", "categorical-crossentropy", "huber", "mean-absolute-error", "mean-squared-error",
            "sparse-categorical-crossentropy",
        ] {
            #expect(try plan("loss = \"\(name)\"").loss.name == name)
            #expect(try plan("loss = { name = \"\(name)\" }").loss.name == name)
        }
        let text = "label-smoothing = 0.1, class-weights = [1, 2, 0.5], ignoring = 0"
        let read = try plan("loss = { name = \"sparse-categorical-crossentropy\", \(text) }")
        let loss = try #require(read.loss as? SparseCategoricalCrossentropy)
        #expect(loss.labelSmoothing == 0.1 && loss.classWeights == [1, 2, 0.5] && loss.ignoring == 0)
        #expect(!read.balancesClasses)
        #expect(try plan("loss = { name = \"binary-crossentropy\", class-weights = \"balanced\" }").balancesClasses)
        let huber = try #require(try plan("loss = { name = \"huber\", delta = 2, ignoring = -1 }").loss as? Huber)
        #expect(huber.delta == 2 && huber.ignoring == -1)
    }
}
