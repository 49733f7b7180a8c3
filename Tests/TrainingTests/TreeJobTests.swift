import ConfigFile
import FoundationEssentials
import JobAPI
import Testing

@testable import Training

/// Decision trees as jobs, and what they say of new samples.
@Suite struct TreeJobTests {
    /// Two features; class "b" where x > 3 and y > 10, with `z` told apart by nothing.
    private func table(_ count: Int) -> String {
        var lines = ["x,y,z,kind"]
        for i in 0..<count {
            let (x, y) = (i % 7, i * 5 % 21)
            lines.append("\(x),\(y),\(i % 2),\(x > 3 && y > 10 ? "b" : "a")")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func job(_ path: String, train: String = "", data: String = "", tree: String = "{ max-depth = 3 }")
        -> String
    {
        """
        name = "rules"
        [train]
        task = "classification"
        metrics = ["accuracy", "confusion"]
        seed = 1
        \(train)
        [data]
        reader = "csv"
        path = "\(path)"
        file = "table.csv"
        target = "kind"
        normalize = "standardize"
        test-split = 0.25
        validation-split = 0
        \(data)
        [model]
        tree = \(tree)
        """
    }

    @Test func growsTestsAndWritesRules() throws {
        let workshop = try Workshop()
        try workshop.write("table.csv", table(200))
        let job = try workshop.write("job.toml", job(workshop.path))
        let model = workshop.path + "/model"
        let run = try Program.run(["fit", job, "--output", model], in: workshop)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("model   decision tree, gini, at most 3 questions deep"))
        #expect(run.output.contains("tree    5 nodes, 3 leaves, 2 questions deep"))
        #expect(
            Workshop.names(in: model)
                == ["card.md", "metrics.json", "model.toml", "preprocess.json", "tree.json", "tree.txt"])
        // In the table's own units, though the tree grew on standardised numbers.
        let rules = String(decoding: try Workshop.read(model + "/tree.txt"), as: UTF8.self)
        #expect(rules.contains("x <= 3.5") && rules.contains("y > 10") && !rules.contains("z"), "\(rules)")

        struct Metrics: Decodable {
            struct Scores: Decodable {
                var samples: Int; var accuracy: Double; var confusion: [[Int]]; var loss: Double?
            }
            var train: Scores
            var test: Scores
        }
        let metrics = try JSON.decode(Metrics.self, from: Data(try Workshop.read(model + "/metrics.json")))
        #expect(metrics.train.samples == 150 && metrics.test.samples == 50)
        #expect(metrics.test.accuracy == 1 && metrics.test.loss == nil)
        #expect(metrics.test.confusion[0][1] == 0 && metrics.test.confusion.joined().reduce(0, +) == 50)
        let events = try run.events.split(separator: "\n").map {
            try JSON.decode(TrainingEvent.self, from: Data($0.utf8))
        }
        #expect(events.last == .done)
        #expect(events.contains(.metric(Metric(name: "accuracy", split: "test", value: 1))))

        // New records, the columns in another order, without the class.
        let new = try workshop.write("new.csv", "z,y,x\n0,20,6\n1,3,6\n0,20,2\n")
        let predicted = try Program.run(["predict", model, new], in: workshop)
        #expect(predicted.output == "b 1.0000\na 1.0000\na 1.0000\n", "\(predicted.errors)")
        let json = try Program.run(["predict", model, new, "--format", "json"], in: workshop)
        #expect(json.output == #"{"classes":["a","b"],"outputs":[[0,1],[1,0],[1,0]]}"# + "\n")
    }

    @Test func predictsNumbers() throws {
        let workshop = try Workshop()
        let lines = (0..<60).map { "\($0 % 6),\($0 % 6 < 3 ? 1.5 : 4)" }
        try workshop.write("table.csv", (["x,kind"] + lines).joined(separator: "\n") + "\n")
        let text = job(workshop.path, data: "target-type = \"number\"")
            .replacing("\"classification\"", with: "\"regression\"")
            .replacing("metrics = [\"accuracy\", \"confusion\"]", with: "")
        let run = try Program.run(
            ["fit", try workshop.write("job.toml", text), "--output", workshop.path + "/m"], in: workshop)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("test  rmse 0.0000  r2 1.0000"), "\(run.output)")
        let new = try workshop.write("new.csv", "x\n0\n5\n")
        let predicted = try Program.run(["predict", workshop.path + "/m", new], in: workshop)
        #expect(predicted.output == "1.5\n4.0\n", "\(predicted.errors)")
    }

    @Test func wrongJobsSayWhy() throws {
        let workshop = try Workshop()
        try workshop.write("table.csv", table(40))
        func problems(_ text: String) -> [String] {
            TrainingTests.problems { () throws(ConfigProblems) in
                let spec = try JobFile.parse(text)
                _ = try TrainingPlan.parse(spec, file: "job.toml").prepared()
            }
        }
        #expect(problems(job(workshop.path)) == [])
        // A tree has no epochs.
        #expect(
            problems(job(workshop.path, train: "epochs = 3")).first?.hasPrefix(
                "job.toml:6: unknown key \"epochs\" in [train]") == true)
        #expect(
            problems(job(workshop.path, tree: "{ max-depth = 0, criterium = \"gini\" }")).map { String($0.prefix(60)) }
                == [
                    "job.toml:17: \"model.tree.max-depth\" is 0; it must be from 1 ",
                    "job.toml:17: unknown key \"criterium\" in [model.tree]; did yo",
                ])
        #expect(
            problems(job(workshop.path).replacing("\"classification\"", with: "\"translation\"")).first
                == "job.toml:3: a tree is for classification or regression, not for translation")
        #expect(
            problems(job(workshop.path, tree: "{ criterion = \"squared-error\" }")).first
                == "job.toml:3: \"model.tree.criterion\" is squared-error, which is not of classification; "
                + "criterion = \"gini\" or \"entropy\"")
        #expect(
            problems(job(workshop.path).replacing("[\"accuracy\", ", with: "[\"perplexity\", ")).first
                == "job.toml:2: train.metrics: perplexity is not of trees")
        #expect(
            problems(job(workshop.path) + "\n[[model.layer]]\ntype = \"flatten\"\n").first
                == "job.toml:17: a model has either [[model.layer]] sections or \"tree\", not both")
    }
}
