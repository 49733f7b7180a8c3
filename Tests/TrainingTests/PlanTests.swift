import ConfigFile
import Datasets
import Glibc
import Learning
import Tensors
import Testing

@testable import Training

private let kinds = (Array(LayerCatalog.readers.keys) + Array(BlockCatalog.blocks.keys)).sorted()
    .joined(separator: ", ")
private let metrics = TrainingPlan.MetricName.allCases.map(\.rawValue).joined(separator: ", ")
private let activations = Activation.allCases.map(\.rawValue).joined(separator: ", ")

@Suite struct PlanTests {
    private func plan(_ text: String) throws(ConfigProblems) -> TrainingPlan {
        let spec = try JobFile.parse(text)
        return try TrainingPlan.parse(spec, file: "job.toml")
    }

    private func idx(_ plan: TrainingPlan) -> IDXSource? { plan.data as? IDXSource }

    private func messages(_ text: String) -> [String] {
        problems { () throws(ConfigProblems) in _ = try plan(text) }
    }

    /// A job without a mistake, with one line replaced.
    private func job(_ old: String = "", _ new: String = "") throws -> String {
        let text = """
            [train]
            epochs = 5
            batch-size = 32
            optimizer = { name = "sgd", learning-rate = 1, momentum = 0.9, nesterov = true }
            early-stopping = { monitor = "val-loss", patience = 2, min-delta = 0.1, restore-best = true }
            threads = 2
            [data]
            reader = "idx"
            path = "/nowhere"
            normalize = "scale"
            [[model.layer]]
            type = "flatten"
            [[model.layer]]
            type = "dense"
            units = 10
            activation = "softmax"
            """
        if old.isEmpty { return text }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        try #require(lines.contains(old))
        return lines.map { $0 == old ? new : $0 }.joined(separator: "\n")
    }

    @Test func readsEverySection() throws {
        let plan = try plan(try job())
        #expect(plan.epochs == 5 && plan.batchSize == 32 && plan.threads == 2)
        #expect(plan.optimizer.name == "sgd" && plan.optimizer.momentCount == 1)
        #expect(plan.earlyStopping?.monitor.rawValue == "val-loss")
        #expect(plan.earlyStopping?.restoresBest == true)
        #expect(idx(plan)?.trainImages == "/nowhere/train-images-idx3-ubyte")
        #expect(idx(plan)?.test == nil)
        #expect(plan.layers.entries.map(\.layer.kind) == ["flatten", "dense"])
    }

    @Test(arguments: [
        ("epochs = 5", "epoch = 5", "job.toml:2: unknown key \"epoch\" in [train]; did you mean \"epochs\"?"),
        ("epochs = 5", "epochs = \"5\"", "job.toml:2: \"train.epochs\" must be an integer, not a string"),
        ("epochs = 5", "epochs = 0", "job.toml:2: \"train.epochs\" is 0; it must be from 1 to 1000000"),
        (
            "batch-size = 32", "batch_size = 32",
            "job.toml:3: unknown key \"batch_size\" in [train]; did you mean \"batch-size\"?"
        ),
        (
            "threads = 2", "optimiser = \"adam\"",
            "job.toml:6: unknown key \"optimiser\" in [train]; did you mean \"optimizer\"?"
        ),
        (
            "threads = 2", "loss = \"mse\"",
            "job.toml:6: \"train.loss\" is \"mse\"; it must be one of binary-crossentropy, categorical-crossentropy, huber, mean-absolute-error, mean-squared-error, sparse-categorical-crossentropy"
        ),
        (
            "threads = 2", "metrics = [\"acuracy\"]",
            "job.toml:6: \"train.metrics\" has no \"acuracy\"; known: \(metrics); did you mean \"accuracy\"?"
        ),
        (
            "reader = \"idx\"", "reader = \"cvs\"",
            "job.toml:8: \"data.reader\" is \"cvs\"; it must be one of audio, csv, idx, parallel-text, ratings, text, "
                + "text-classes; did you mean \"csv\"?"
        ),
        (
            "path = \"/nowhere\"", "",
            "job.toml:7: \"path\" is missing in [data]; for example path = \"/usr/share/datasets/fashion-mnist\""
        ),
        (
            "normalize = \"scale\"", "validation-split = 0",
            "job.toml:10: early stopping watches \"val-loss\", but no sample is kept for validation; validation-split = 0.1"
        ),
        (
            "type = \"dense\"", "type = \"dence\"",
            "job.toml:14: \"model.layer.type\" is \"dence\"; it must be one of \(kinds); did you mean \"dense\"?"
        ),
        ("units = 10", "unit = 10", "job.toml:13: \"units\" is missing in [model.layer]; for example units = 128"),
        (
            "activation = \"softmax\"", "activation = \"relux\"",
            "job.toml:16: \"model.layer.activation\" is \"relux\"; it must be one of \(activations); did you mean \"relu\"?"
        ),
        (
            "activation = \"softmax\"", "name = \"a b\"",
            "job.toml:16: \"model.layer.name\" is \"a b\"; it must be letters, digits, \"-\" or \"_\", 64 at most"
        ),
    ])
    func mistakesAreNamedWithTheirLine(old: String, new: String, expected: String) throws {
        let found = messages(try job(old, new))
        #expect(found.contains(expected), "\(found)")
    }

    @Test func optimizerTables() throws {
        let line = "optimizer = { name = \"sgd\", learning-rate = 1, momentum = 0.9, nesterov = true }"
        func of(_ new: String) throws -> [String] { messages(try job(line, "optimizer = " + new)) }
        #expect(try of("\"adam\"") == [])
        #expect(try of("\"adem\"").first?.contains("did you mean \"adam\"?") == true)
        #expect(try of("{ learning-rate = 0.1 }").first?.contains("\"name\" is missing in [train.optimizer]") == true)
        #expect(try of("{ name = \"adam\", momentum = 0.9 }").first?.contains("unknown key \"momentum\"") == true)
        #expect(try of("{ name = \"sgd\", learning-rate = -1 }").first?.contains("must be between") == true)
        #expect(try of("3").first?.contains("must be a string") == true)
    }

    @Test func allMistakesAtOnce() throws {
        let text = try job("epochs = 5", "epoch = 5") + "\nactivatoin = 1\n[[model.layer]]\ntype = 3"
        #expect(messages(text).count >= 4)
    }

    @Test func aModelWithoutLayers() throws {
        let text = try job().split(separator: "\n").prefix { $0 != "[[model.layer]]" }.joined(separator: "\n")
        #expect(messages(text).contains { $0.contains("the model has no layers") })
        #expect(messages("[command]\nargv = [\"true\"]").first?.contains("no [train] section") == true)
    }

    @Test func jobsAsTheAPICarriesThem() throws {
        let workshop = try Workshop()
        try workshop.makeData()
        let json = try JobFile.json(workshop.job())
        let file = try workshop.write("job.json", json)
        let fromJSON = try TrainingPlan.load(file)
        let fromTOML = try TrainingPlan.load(try workshop.write("job.toml", workshop.job()))
        #expect(fromJSON.epochs == fromTOML.epochs && fromJSON.batchSize == fromTOML.batchSize)
        #expect(idx(fromJSON)?.trainImages == idx(fromTOML)?.trainImages)
        #expect(fromJSON.layers.entries.map(\.layer.kind) == fromTOML.layers.entries.map(\.layer.kind))
        #expect(fromJSON.optimizer.name == "adam")
        let bad = try workshop.write("bad.json", "{\"train\": 3}")
        #expect(problems { () throws(ConfigProblems) in _ = try TrainingPlan.load(bad) }.first?.hasPrefix(bad) == true)
        let missing = problems { () throws(ConfigProblems) in _ = try TrainingPlan.load("/nowhere/job.toml") }
        #expect(missing == ["/nowhere/job.toml: cannot open it: No such file or directory"])
        let binary = try workshop.write("binary.toml", [0xff, 0xfe, 0])
        #expect(
            problems { () throws(ConfigProblems) in _ = try TrainingPlan.load(binary) } == ["\(binary): not UTF-8 text"]
        )
    }

    @Test func relativeDataPathsStartAtTheJobFile() throws {
        let workshop = try Workshop()
        let text = workshop.job().split(separator: "\n").map { $0.hasPrefix("path = ") ? "path = \"sub\"" : String($0) }
        let plan = try TrainingPlan.load(try workshop.write("job.toml", text.joined(separator: "\n")))
        #expect(idx(plan)?.trainImages == workshop.path + "/sub/train-images-idx3-ubyte")
    }
}

@Suite struct PreparedTests {
    private func prepare(_ workshop: Workshop, _ text: String) throws -> [String] {
        let file = try workshop.write("job.toml", text)
        return problems { () throws(ConfigProblems) in
            _ = try PreparedTraining(try TrainingPlan.load(file))
        }
    }

    @Test func countsAndShapes() throws {
        let workshop = try Workshop()
        try workshop.makeData()
        let prepared = try PreparedTraining(try TrainingPlan.load(try workshop.write("job.toml", workshop.job())))
        #expect(prepared.outline.trainCount == 72 && prepared.outline.validationCount == 18)
        #expect(prepared.outline.testCount == 30 && prepared.outline.classes == 3)
        #expect(prepared.shapes == ["12", "16", "3"])
        #expect(prepared.model.plan.learntCount == 12 * 16 + 16 + 16 * 3 + 3)
        #expect(prepared.summary.contains("259 parameters"))
    }

    @Test func balancedClassesAreCountedInTheTrainingPart() throws {
        let workshop = try Workshop()
        try workshop.makeData()
        func job(_ weights: String) -> String {
            workshop.job().replacing(
                "loss = \"sparse-categorical-crossentropy\"",
                with: "loss = { name = \"sparse-categorical-crossentropy\", class-weights = \(weights) }")
        }
        let prepared = try PreparedTraining(
            try TrainingPlan.load(try workshop.write("job.toml", job("\"balanced\""))))
        let loss = try #require(prepared.model.loss as? SparseCategoricalCrossentropy)
        let weights = try #require(loss.classWeights)
        // Each class's samples, 72 in all, weigh as much as the others'.
        let counts = weights.map { 72 / (3 * $0) }
        #expect(counts.allSatisfy { abs($0 - $0.rounded()) < 1e-4 } && abs(counts.reduce(0, +) - 72) < 1e-3)
        #expect(
            try prepare(workshop, job("[1, 2]")).first?.contains("has 2 class weights for 3 classes") == true)
    }

    @Test func whatTheDataContradict() throws {
        let workshop = try Workshop()
        let missing = try prepare(workshop, workshop.job())
        #expect(
            missing.first?.contains("job.toml:16: data: \(workshop.path)/train-images-idx3-ubyte: cannot open it")
                == true, "\(missing)")
        try workshop.makeData()
        #expect(try prepare(workshop, workshop.job()) == [])
        let few = try prepare(workshop, workshop.job(units: 2))
        #expect(few.count == 1 && few[0].contains("job.toml:25: model: the last layer has 2 units"), "\(few)")
        #expect(few.first?.hasSuffix("units = 3") == true)
        let unflattened = workshop.job().replacing("type = \"flatten\"", with: "type = \"relu\"")
        #expect(try prepare(workshop, unflattened).first?.contains("flatten") == true)
        let memory = try prepare(
            workshop, workshop.job(memory: "1 MiB").replacing("units = 16", with: "units = 100000"))
        #expect(memory.first?.contains("but the job asks for 1 MiB") == true, "\(memory)")
        let named = try prepare(
            workshop, workshop.job().replacing("reader = ", with: "test-images = \"none\"\nreader = "))
        #expect(named.first?.contains("/none: cannot open it") == true, "\(named)")
        try workshop.write("train-labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, 1, 0])
        #expect(try prepare(workshop, workshop.job()).first?.contains("90 images, but 1 labels") == true)
    }
}

@Suite struct OutputTests {
    @Test func directoriesThatCannotBeWritten() throws {
        let workshop = try Workshop()
        let file = try workshop.write("file", "")
        let error = #expect(throws: TrainingError.self) { _ = try OutputDirectory(file + "/model") }
        #expect(error?.stage == .output)
        #expect(error?.message.contains("Not a directory") == true)
        #expect(throws: TrainingError.self) { _ = try OutputDirectory("/proc/nothing") }
    }

    @Test func filesAppearWholeAndLeaveNothingBehind() throws {
        let workshop = try Workshop()
        let directory = try OutputDirectory(workshop.path + "/a/b/")
        #expect(Workshop.names(in: workshop.path + "/a/b") == [])
        try directory.write([OutputFile("x", [1, 2]), OutputFile("y", [3])])
        try directory.write([OutputFile("x", [4])])
        #expect(Workshop.names(in: workshop.path + "/a/b") == ["x", "y"])
        #expect(try Workshop.read(workshop.path + "/a/b/x") == [4])
        try workshop.write("a/b/.x.tmp", [9])
        directory.remove("x")
        #expect(Workshop.names(in: workshop.path + "/a/b") == ["y"])
        try directory.write([OutputFile("x", [4])])
        // A directory in the place of the second file: neither is left half-written.
        mkdir(workshop.path + "/a/b/z", 0o700)
        #expect(throws: TrainingError.self) { try directory.write([OutputFile("z", [1]), OutputFile("w", [1])]) }
        #expect(Workshop.names(in: workshop.path + "/a/b") == ["x", "y", "z"])
    }

    @Test func eventDescriptorsAreChecked() {
        for wrong in ["", "x", "-1", "987", "99999999999"] {
            #expect(throws: TrainingError.self) { _ = try EventWriter(descriptor: wrong) }
        }
    }

    @Test func numbersInWords() {
        #expect(fixed(0.88349, 4) == "0.8835")
        #expect(fixed(-1.05, 1) == "-1.1" || fixed(-1.05, 1) == "-1.0")
        #expect(fixed(12, 0) == "12")
        #expect(fixed(0.0499, 1) == "0.0")
        #expect(fixed(.nan, 2) == "nan")
    }
}
