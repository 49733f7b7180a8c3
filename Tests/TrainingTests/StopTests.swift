import FoundationEssentials
import Glibc
import JobAPI
import Testing

@testable import Training

/// Ends asked for at odd moments, and two trainings in one place.
@Suite struct StopTests {
    /// The test samples are so many that judging them outlasts the training.
    private func longTest(_ workshop: Workshop) throws -> String {
        try workshop.makeData(train: 16, test: 60_000)
        let text = workshop.job(epochs: 2).replacing("metrics = [\"accuracy\"]", with: "metrics = [\"f1\"]")
        return try workshop.write("job.toml", text)
    }

    @Test func whatWasLearntOutlivesAStopAfterTheLastEpoch() throws {
        let workshop = try Workshop()
        let job = try longTest(workshop)
        let model = workshop.path + "/model"
        let running = try Program.start(["fit", job, "--output", model], in: workshop)
        running.prints("epoch 2/2")
        kill(running.pid, SIGTERM)
        let run = running.wait()
        let names = Workshop.names(in: model)
        // Where the machine was quicker than this test, the model is there; never neither of the two.
        #expect(run.status == 143 ? names == ["checkpoint.safetensors"] : names.contains("weights.safetensors"))

        let again = try Program.run(["fit", job, "--output", model], in: workshop)
        #expect(again.status == 0, "\(again.errors)")
        if run.status == 143 {
            #expect(again.output.contains("going on after step ") && !again.output.contains("epoch 1/2"))
        }
        let whole = workshop.path + "/whole"
        #expect(try Program.run(["fit", job, "--output", whole], in: workshop).status == 0)
        #expect(
            try Workshop.read(model + "/weights.safetensors") == Workshop.read(whole + "/weights.safetensors"))
    }

    /// A training that does not end by itself, after its first epoch.
    private func endless(_ workshop: Workshop) throws -> (job: String, model: String, running: Program.Running) {
        try workshop.makeData()
        let job = try workshop.write("job.toml", workshop.job(epochs: 1_000_000))
        let model = workshop.path + "/model"
        let running = try Program.start(["fit", job, "--output", model], in: workshop)
        running.prints("epoch 1/")
        return (job, model, running)
    }

    @Test func aSecondTrainingInTheSamePlaceIsRefused() throws {
        let workshop = try Workshop()
        let (job, model, running) = try endless(workshop)
        let second = try Program.run(["fit", job, "--output", model, "--set", "train.epochs=1"], in: try Workshop())
        #expect(second.status == 1)
        #expect(second.errors.contains("another training writes to \(model)"), "\(second.errors)")
        kill(running.pid, SIGTERM)
        #expect(running.wait().status == 143)
    }

    @Test func aCheckpointOfOtherDataIsRefused() throws {
        let workshop = try Workshop()
        let (job, model, running) = try endless(workshop)
        kill(running.pid, SIGTERM)
        #expect(running.wait().status == 143)
        // One pixel of one picture.
        let file = workshop.path + "/train-images-idx3-ubyte"
        var pictures = try Workshop.read(file)
        pictures[200] ^= 1
        try workshop.write("train-images-idx3-ubyte", pictures)
        let again = try Program.run(["fit", job, "--output", model, "--set", "train.epochs=1"], in: workshop)
        #expect(again.status == 1)
        #expect(again.errors.contains("or of this one before it or its data were changed"), "\(again.errors)")
    }

    @Test func whatCannotBeWrittenIsNoOrderlyStop() throws {
        let workshop = try Workshop()
        let (_, model, running) = try endless(workshop)
        // In the place where the checkpoint is to be made.
        mkdir(model + "/.checkpoint.safetensors.tmp", 0o700)
        kill(running.pid, SIGTERM)
        let run = running.wait()
        #expect(run.status == 1 && run.errors.contains("cannot write to \(model): Is a directory"), "\(run.errors)")
    }
}
