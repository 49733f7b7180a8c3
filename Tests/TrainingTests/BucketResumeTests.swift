import FoundationEssentials
import Glibc
import JobAPI
import Testing

@testable import Training

/// Going on after a crash where batches come from samples of several lengths.
@Suite struct BucketResumeTests {
    /// Pairs of 1 to 8 words, in a language where "a" means "b" and so on.
    private func makeData(_ workshop: Workshop) throws {
        var state: UInt32 = 7
        func sentences(_ count: Int) -> [[Int]] {
            (0..<count).map { index in
                (0...(index % 8)).map { _ in
                    state = state &* 1_664_525 &+ 1_013_904_223
                    return Int(state >> 24) % 5
                }
            }
        }
        for (name, count) in [("train", 75), ("val", 15)] {
            let sentences = sentences(count)
            for (suffix, words) in [("src", ["a", "b", "c", "d", "e"]), ("tgt", ["b", "c", "d", "e", "f"])] {
                let lines = sentences.map { $0.map { words[$0] }.joined(separator: " ") + "\n" }
                try workshop.write("\(name).\(suffix)", lines.joined())
            }
        }
    }

    private func job(_ path: String) -> String {
        """
        [train]
        task = "translation"
        epochs = 1000000
        batch-size = 8
        checkpoint-every = 7
        optimizer = { name = "adam", learning-rate = 0.003 }
        schedule = { name = "linear-warmup", warmup-steps = 100 }
        loss = { name = "sparse-categorical-crossentropy", ignoring = 0 }
        early-stopping = { monitor = "val-loss", patience = 1000000, restore-best = true }
        shards = 2
        seed = 11
        [data]
        reader = "parallel-text"
        path = "\(path)"
        source = "train.src"
        target = "train.tgt"
        validation-source = "val.src"
        validation-target = "val.tgt"
        minimum-count = 1
        bucket-lengths = [3, 6]
        maximum-length = 9
        [[model.layer]]
        name = "source"
        type = "embedding"
        input = "input-1"
        input-dim = 9
        output-dim = 5
        mask-zero = true
        [[model.layer]]
        name = "target"
        type = "embedding"
        input = "input-2"
        input-dim = 9
        output-dim = 5
        [[model.layer]]
        type = "add"
        inputs = ["source", "target"]
        [[model.layer]]
        type = "dropout"
        rate = 0.2
        [[model.layer]]
        type = "dense"
        units = 9
        activation = "softmax"
        """
    }

    private struct Written: Decodable {
        struct Figures: Decodable, Equatable {
            var samples: Int
            var loss: Double
        }
        struct Epoch: Decodable {
            var train: Figures
            var validation: Figures
        }
        var epochs: [Epoch]
        var weightsEpoch: Int
        var samplesSeen: Int
    }

    private func written(_ model: String) throws -> Written {
        try JSON.decode(Written.self, from: Data(try Workshop.read(model + "/metrics.json")))
    }

    /// Killed without warning, a job goes on from its last checkpoint, in the midst of an epoch, as if nothing had been.
    @Test func aKilledJobGoesOnFromItsLastCheckpoint() throws {
        let workshop = try Workshop()
        try makeData(workshop)
        let job = try workshop.write("job.toml", job(workshop.path))
        let (killed, whole) = (workshop.path + "/killed", workshop.path + "/whole")
        let running = try Program.start(["fit", job, "--output", killed], in: workshop)
        running.prints("epoch 3/")
        kill(running.pid, SIGKILL)
        let first = running.wait()
        try #require(first.status == 1000 + SIGKILL, "\(first.errors)")
        #expect(Workshop.names(in: killed).contains("checkpoint.safetensors"))

        // The epoch after the one that was cut off.
        let epochs = 2 + first.output.split(separator: "\n").count { $0.hasPrefix("epoch ") }
        func train(_ output: String, threads: Int) throws -> Program {
            try Program.run(
                ["fit", job, "--output", output, "--set", "train.epochs=\(epochs)", "--threads", "\(threads)"],
                in: workshop)
        }
        let again = try train(killed, threads: 2)
        #expect(again.status == 0, "\(again.errors)")
        // Eleven batches make an epoch: three of short sentences, four of middling and four of long ones.
        let steps = try #require(again.output.firstMatch(of: /going on after step (\d+), in epoch (\d+)/))
        let (step, epoch) = (try #require(Int(steps.1)), try #require(Int(steps.2)))
        #expect(step % 7 == 0 && step > 0 && (epoch - 1) * 11 <= step && step <= epoch * 11)

        let uninterrupted = try train(whole, threads: 1)
        #expect(uninterrupted.status == 0 && !uninterrupted.output.contains("going on"), "\(uninterrupted.errors)")
        #expect(
            try Workshop.read(killed + "/weights.safetensors") == Workshop.read(whole + "/weights.safetensors"))
        let (a, b) = (try written(killed), try written(whole))
        #expect(a.epochs.count == epochs && a.epochs.map(\.train) == b.epochs.map(\.train))
        #expect(a.epochs.map(\.validation) == b.epochs.map(\.validation))
        #expect(a.weightsEpoch == b.weightsEpoch && a.samplesSeen == 75 * epochs && b.samplesSeen == 75 * epochs)
    }
}
