import ConfigFile
import FoundationEssentials
import Glibc
import JobAPI
import Testing

@testable import Training

/// The whole of `mltrain`, as its users and the daemon run it.
@Suite struct ProgramTests {
    private func events(_ text: String) throws -> [TrainingEvent] {
        try text.split(separator: "\n").map { try JSON.decode(TrainingEvent.self, from: Data($0.utf8)) }
    }

    @Test func trainsFromFileToModel() throws {
        let workshop = try Workshop()
        try workshop.makeData()
        let job = try workshop.write("job.toml", workshop.job(epochs: 10))
        let model = workshop.path + "/model"
        let run = try Program.run(["fit", job, "--output", model], in: workshop)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("epoch 10/10  loss "))
        #expect(run.output.contains(", OpenBLAS for "))
        // What was trained, how it began, what is kept, what it took.
        for line in ["layer   dense-", "memory  ", "first   epoch 1: loss ", "kept    epoch ", "cost    "] {
            #expect(run.output.contains("\n" + line), "\(run.output)")
        }

        let events = try events(run.events)
        let metrics = events.compactMap { if case .metric(let metric) = $0 { metric } else { nil } }
        // Loss and accuracy of two splits in ten epochs, then of the test samples, once.
        #expect(metrics.count == 42)
        let test = metrics.filter { $0.split == "test" }
        #expect(test.map(\.name) == ["loss", "accuracy"])
        #expect(test.last?.value == 1)
        let progress = events.compactMap { if case .progress(let progress) = $0 { progress } else { nil } }
        #expect(progress.first == Progress(epoch: 1, epochs: 10, step: 0, steps: 9, samples: 0))
        #expect(progress.last == Progress(epoch: 10, epochs: 10, step: 9, steps: 9, samples: 720))
        #expect(Array(events.suffix(2)) == [.artifact(Artifact(kind: "model", path: model)), .done])

        #expect(
            Workshop.names(in: model)
                == ["card.md", "metrics.json", "model.toml", "preprocess.json", "weights.safetensors"])
        let toml = try TOMLParser.parse(
            String(decoding: try Workshop.read(model + "/model.toml"), as: UTF8.self), file: "model.toml")
        #expect(toml["parameters"]?.value == .integer(259))
        let card = String(decoding: try Workshop.read(model + "/card.md"), as: UTF8.self)
        #expect(card.contains("72 training, 18 validation and 30 test samples of shape 3x4"))
        #expect(card.contains("| test | 30 | "))

        struct Metrics: Decodable {
            struct Figures: Decodable { var samples: Int; var accuracy: Double }
            var test: Figures
            var samplesSeen: Int
        }
        let written = try JSON.decode(Metrics.self, from: Data(try Workshop.read(model + "/metrics.json")))
        #expect(written.test.samples == 30 && written.test.accuracy == 1 && written.samplesSeen == 720)

        // The weights: every array where the header says, the last one ending with the file.
        struct Entry: Decodable { var dtype: String?; var shape: [Int]?; var dataOffsets: [Int]? }
        let weights = try Workshop.read(model + "/weights.safetensors")
        let length = (0..<8).reduce(0) { $0 | Int(weights[$1]) << (8 * $1) }
        let header = try JSON.decode([String: Entry].self, from: Data(weights[8..<(8 + length)]))
        #expect(length % 8 == 0)
        #expect(Set(header.keys) == ["__metadata__", "dense-2.kernel", "dense-2.bias", "out.kernel", "out.bias"])
        #expect(header["dense-2.kernel"]?.shape == [12, 16])
        #expect(header["out.bias"]?.dtype == "F32")
        let ends = header.values.compactMap { $0.dataOffsets?.last }
        #expect(ends.max() == weights.count - 8 - length)
        #expect(weights.count - 8 - length == 259 * 4)
    }

    @Test func threadsDoNotChangeTheWeights() throws {
        let workshop = try Workshop()
        try workshop.makeData()
        let job = try workshop.write("job.json", try JobFile.json(workshop.job(epochs: 3)))
        var weights: [[UInt8]] = []
        for threads in [1, 2, 3] {
            let model = workshop.path + "/model-\(threads)"
            let run = try Program.run(["fit", job, "--output", model, "--threads", "\(threads)"], in: workshop)
            #expect(run.status == 0, "\(run.errors)")
            weights.append(try Workshop.read(model + "/weights.safetensors"))
        }
        #expect(weights[0] == weights[1] && weights[1] == weights[2])
    }

    @Test func eventsGoToStandardOutputWithoutADescriptor() throws {
        let workshop = try Workshop()
        try workshop.makeData(test: 0)
        let job = try workshop.write("job.toml", workshop.job(epochs: 2))
        let run = try Program.run(
            ["fit", job], in: workshop, eventsFD: false,
            environment: ["MLD_OUTPUT_DIR=\(workshop.path)/from-environment"])
        #expect(run.status == 0, "\(run.errors)")
        #expect(try events(run.output).last == .done)
        #expect(run.errors.contains("epoch 2/2"))
        // No test samples, no test figure.
        #expect(!run.output.contains("\"test\""))
        #expect(Workshop.names(in: workshop.path + "/from-environment").contains("card.md"))
    }

    @Test func aPresetCoreTypeStaysAndOtherwiseOneIsChosen() throws {
        let workshop = try Workshop()
        try workshop.makeData()
        let job = try workshop.write("job.toml", workshop.job(epochs: 1))
        func kernels(_ environment: [String]) throws -> String {
            let run = try Program.run(
                ["fit", job, "--output", workshop.path + "/m"], in: workshop, environment: environment)
            #expect(run.status == 0, "\(run.errors)")
            let line = run.output.split(separator: "\n").first { $0.hasPrefix("run ") } ?? ""
            return String(line.split(separator: " ").last ?? "")
        }
        #expect(try kernels(["OPENBLAS_CORETYPE=Nehalem"]) == "Nehalem")
        if let preferred = BLASStart.preferred { #expect(try kernels([]) == preferred) }
    }

    @Test func stopsOnSIGTERMAndGoesOnFromThere() throws {
        let workshop = try Workshop()
        try workshop.makeData()
        let job = try workshop.write("job.toml", workshop.job(epochs: 1_000_000))
        let running = try Program.start(["fit", job, "--output", workshop.path + "/model"], in: workshop)
        // Until it trains; a program that never comes to it ends by itself or by the test's own time limit.
        running.prints("epoch 2/")
        kill(running.pid, SIGTERM)
        let run = running.wait()
        #expect(run.status == 143, "\(run.errors)")
        #expect(run.errors.contains("stopped on request"))
        #expect(try !events(run.events).contains(.done))
        #expect(Workshop.names(in: workshop.path + "/model") == ["checkpoint.safetensors"])

        let other = try Program.run(
            ["fit", job, "--output", workshop.path + "/model", "--set", "train.seed=77"], in: workshop)
        #expect(other.status == 1)
        #expect(other.errors.contains("the checkpoint of another job"), "\(other.errors)")

        // How long is no part of what a job is, so it may be shortened.
        let again = try Program.run(
            ["fit", job, "--output", workshop.path + "/model", "--set", "train.epochs=3"], in: workshop)
        #expect(again.status == 0, "\(again.errors)")
        #expect(again.output.contains("going on after step "))
        #expect(Workshop.names(in: workshop.path + "/model").contains("weights.safetensors"))
        #expect(!Workshop.names(in: workshop.path + "/model").contains("checkpoint.safetensors"))
    }

    @Test func failuresSayWhy() throws {
        let workshop = try Workshop()
        try workshop.makeData()
        let good = try workshop.write("job.toml", workshop.job())
        let blocked = try Program.run(["fit", good, "--output", good + "/model"], in: workshop)
        #expect(blocked.status == 1)
        #expect(blocked.errors.contains("Not a directory"))
        #expect(blocked.events.isEmpty)

        let bad = try workshop.write("bad.toml", workshop.job(extra: "epoch = 3"))
        let check = try Program.run(["check", bad], in: workshop)
        #expect(check.status == 1)
        #expect(check.errors == "\(bad):13: unknown key \"epoch\" in [train]; did you mean \"epochs\"?\n")
        #expect(try Program.run(["fit", bad], in: workshop).status == 1)

        let checked = try Program.run(["check", good], in: workshop)
        #expect(checked.status == 0)
        #expect(checked.output.contains("model   259 parameters"))

        #expect(try Program.run(["fit"], in: workshop).status == 2)
        #expect(try Program.run(["fit", good, "--threads", "0"], in: workshop).status == 2)
        #expect(try Program.run(["--help"], in: workshop).status == 0)

        let diverging = try workshop.write(
            "diverging.toml",
            workshop.job().replacing("learning-rate = 0.02", with: "learning-rate = 1e6")
                .replacing("\"adam\"", with: "\"sgd\""))
        let diverged = try Program.run(["fit", diverging, "--output", workshop.path + "/d"], in: workshop)
        #expect(diverged.status == 1)
        #expect(diverged.errors.contains("at step "), "\(diverged.errors)")
        #expect(Workshop.names(in: workshop.path + "/d") == [])
    }
}
