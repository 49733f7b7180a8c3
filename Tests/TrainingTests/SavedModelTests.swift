import FoundationEssentials
import Testing

@testable import Training

/// What was saved, used for new samples; and what was damaged, refused.
@Suite struct SavedModelTests {
    private func trained() throws -> Workshop {
        let workshop = try Workshop()
        try workshop.makeData()
        let job = try workshop.write("job.toml", workshop.job(epochs: 10))
        let run = try Program.run(["fit", job, "--output", workshop.path + "/model"], in: workshop)
        try #require(run.status == 0, "\(run.errors)")
        return workshop
    }

    @Test func saysOfPicturesWhatTheyAre() throws {
        let workshop = try trained()
        let model = workshop.path + "/model"
        // The test pictures, of which row k is bright in class k = index % 3.
        let run = try Program.run(["predict", model, workshop.path + "/t10k-images-idx3-ubyte"], in: workshop)
        #expect(run.status == 0, "\(run.errors)")
        let saved = try SavedModel(reading: model)
        let predictor = try Predictor(saved, threads: 2)
        let outputs = try predictor.outputs(
            try NewSamples.read(workshop.path + "/t10k-images-idx3-ubyte", for: saved))
        #expect(outputs.count == 30)
        for (index, output) in outputs.enumerated() {
            #expect(output.indices.max { output[$0] < output[$1] } == index % 3)
            #expect(abs(output.reduce(0, +) - 1) < 1e-5)
        }
        #expect(run.output.split(separator: "\n").count == 30)

        // The same as numbers, nested or flat.
        let picture = [[0, 0, 0, 0], [0, 0, 0, 0], [3, 3, 3, 3]]
        let json = try workshop.write("one.json", "[\(picture), \(Array(picture.joined()))]")
        let two = try predictor.outputs(try NewSamples.read(json, for: saved))
        #expect(two.count == 2 && two[0] == two[1] && two[0][2] > 0.5)
    }

    @Test func wrongSamplesSayWhere() throws {
        let workshop = try trained()
        let saved = try SavedModel(reading: workshop.path + "/model")
        func message(_ name: String, _ text: String) throws -> String {
            let path = try workshop.write(name, text)
            do {
                _ = try NewSamples.read(path, for: saved)
                return ""
            } catch { return error.message.replacing(workshop.path + "/", with: "") }
        }
        #expect(try message("a.json", "[[1, 2]]") == "a.json: sample 1 has 2 numbers; the model takes 12")
        #expect(try message("b.json", "{\"a\": 1}").hasPrefix("b.json: it must be an array of samples"))
        #expect(try message("c.json", "[[1, \"x\"]]").hasPrefix("c.json: it must be an array of samples"))
        #expect(try message("d.idx", "no pictures").contains("d.idx"))
    }

    /// Every byte of a model directory is hostile until parsed.
    @Test func damagedDirectoriesAreRefused() throws {
        let workshop = try trained()
        let model = workshop.path + "/model"
        let files = ["model.toml", "preprocess.json", "weights.safetensors"]
        let whole = try files.map { try Workshop.read(model + "/" + $0) }
        func opens() -> String? {
            do {
                _ = try Predictor(try SavedModel(reading: model), threads: 1)
                return nil
            } catch { return error.message }
        }
        #expect(opens() == nil)
        for (file, bytes) in zip(files, whole) {
            for length in [0, 1, 10, bytes.count / 2, bytes.count - 2] {
                try workshop.write("model/" + file, Array(bytes[..<length]))
                #expect(opens() != nil, "\(file) cut to \(length) bytes")
            }
            try workshop.write("model/" + file, bytes)
        }
        let toml = String(decoding: whole[0], as: UTF8.self)
        try workshop.write("model/model.toml", toml.replacing("units = 16", with: "units = 17"))
        #expect(opens()?.contains("dense-2.kernel") == true, "\(opens() ?? "")")
        try workshop.write("model/model.toml", toml.replacing("units = 16", with: "units = 1000000000"))
        #expect(opens() != nil)
        try workshop.write("model/model.toml", whole[0])
        let shape = String(decoding: whole[1], as: UTF8.self)
        for wrong in ["-3", "0", "99999999999", "7"] {
            try workshop.write("model/preprocess.json", shape.replacing("3,", with: "\(wrong),"))
            #expect(opens() != nil, "\(wrong)")
        }
    }
}
