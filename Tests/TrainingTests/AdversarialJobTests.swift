import ConfigFile
import FoundationEssentials
import Glibc
import JobAPI
import Testing

@testable import Training

/// A generator and a discriminator as a job, and the samples they make.
@Suite struct AdversarialJobTests {
    private func job(_ path: String, epochs: Int = 3, extra: String = "", out: Int = 12) -> String {
        """
        name = "made-up"
        [train]
        epochs = \(epochs)
        batch-size = 8
        optimizer = { name = "adam", learning-rate = 0.002, beta-1 = 0.5 }
        seed = 3
        \(extra)
        [data]
        reader = "idx"
        path = "\(path)"
        normalize = "scale"
        validation-split = 0
        [model]
        latent = 4
        [[model.generator]]
        type = "dense"
        units = 8
        [[model.generator]]
        type = "batch-normalization"
        activation = "relu"
        [[model.generator]]
        type = "dense"
        units = \(out)
        activation = "sigmoid"
        [[model.discriminator]]
        type = "flatten"
        [[model.discriminator]]
        type = "dense"
        units = 8
        activation = "leaky-relu"
        [[model.discriminator]]
        type = "dense"
        units = 1
        activation = "sigmoid"
        """
    }

    @Test func trainsAndMakesSamples() throws {
        let workshop = try Workshop()
        try workshop.makeData()
        let job = try workshop.write("job.toml", job(workshop.path))
        let model = workshop.path + "/model"
        let run = try Program.run(["fit", job, "--output", model], in: workshop)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("epoch 3/3  generator loss "))
        #expect(run.output.contains("layer   discriminator.dense-3 -> 1"))
        #expect(
            Workshop.names(in: model)
                == ["card.md", "metrics.json", "model.toml", "preprocess.json", "samples.png", "weights.safetensors"])
        let events = try run.events.split(separator: "\n").map {
            try JSON.decode(TrainingEvent.self, from: Data($0.utf8))
        }
        let names = Set(events.compactMap { if case .metric(let metric) = $0 { metric.name } else { nil } })
        #expect(names == ["generator-loss", "discriminator-loss", "discriminator-accuracy"])
        #expect(events.last == .done)
        // A grid of 10x10 pictures of 3x4 pixels: the PNG's own header says so.
        let picture = try Workshop.read(model + "/samples.png")
        #expect(picture.prefix(8) == [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
        #expect(Array(picture[16..<24]) == [0, 0, 0, 49, 0, 0, 0, 39])

        func generate(_ arguments: [String]) throws -> Program {
            try Program.run(["generate", model, "--count", "5"] + arguments, in: workshop)
        }
        let made = workshop.path + "/made.idx"
        #expect(try generate(["--output", made]).status == 0)
        let bytes = try Workshop.read(made)
        #expect(Array(bytes.prefix(16)) == [0, 0, 8, 3, 0, 0, 0, 5, 0, 0, 0, 3, 0, 0, 0, 4])
        #expect(bytes.count == 16 + 5 * 12)
        let numbers = try JSON.decode([[Float]].self, from: Data(try generate([]).output.utf8))
        #expect(numbers.count == 5)
        #expect(numbers.joined().map { UInt8(($0 * 255).rounded()) } == Array(bytes[16...]))
        #expect(try generate(["--seed", "2"]).output != generate([]).output)
        let refused = try Program.run(["predict", model, made], in: workshop)
        #expect(refused.status == 1 && refused.errors.contains("mltrain generate"), "\(refused.errors)")
    }

    @Test func stopsAndGoesOnAsIfItHadNot() throws {
        let workshop = try Workshop()
        try workshop.makeData()
        let whole = try workshop.write("job.toml", job(workshop.path, epochs: 400))
        #expect(try Program.run(["fit", whole, "--output", workshop.path + "/a"], in: workshop).status == 0)
        let running = try Program.start(["fit", whole, "--output", workshop.path + "/b"], in: workshop)
        running.prints("epoch 2/")
        kill(running.pid, SIGTERM)
        let stopped = running.wait()
        #expect(stopped.status == 143, "\(stopped.errors)")
        #expect(Workshop.names(in: workshop.path + "/b").contains("checkpoint.safetensors"))
        let again = try Program.run(
            ["fit", whole, "--output", workshop.path + "/b", "--threads", "2"], in: workshop)
        #expect(again.status == 0 && again.output.contains("going on after step "), "\(again.errors)")
        #expect(
            try Workshop.read(workshop.path + "/a/weights.safetensors")
                == Workshop.read(workshop.path + "/b/weights.safetensors"))
    }

    @Test func wrongJobsSayWhy() throws {
        let workshop = try Workshop()
        try workshop.makeData()
        func problems(_ text: String) -> [String] {
            TrainingTests.problems { () throws(ConfigProblems) in
                _ = try TrainingPlan.parse(try JobFile.parse(text), file: "job.toml").prepared()
            }
        }
        let path = workshop.path
        #expect(problems(job(path)) == [])
        #expect(
            problems(job(path, out: 11))
                == ["job.toml:21: model: the generator must turn one input into 3x4, the shape of the samples"])
        #expect(problems(job(path, extra: "loss = \"huber\"")).first?.contains("unknown key \"loss\"") == true)
        #expect(
            problems(job(path, extra: "task = \"regression\"")).first
                == "job.toml:7: a generator is for generation, not for regression")
        let alone = job(path).split(separator: "[[model.discriminator]]", maxSplits: 1)[0]
        #expect(problems(String(alone)).first?.contains("the generator has nobody to learn from") == true)
    }
}
