import ConfigFile
import Datasets
import FoundationEssentials
import Glibc
import JobAPI
import Testing

@testable import Training

/// The keys of `[data]`, reader by reader.
@Suite struct DataKeysTests {
    private func plan(_ data: String) throws(ConfigProblems) -> TrainingPlan {
        let text = """
            [train]
            epochs = 1
            [data]
            \(data)
            [[model.layer]]
            type = "dense"
            units = 2
            activation = "softmax"
            """
        return try TrainingPlan.parse(try JobFile.parse(text), file: "job.toml")
    }

    private func source<T>(_ type: T.Type, _ data: String) throws -> T { try #require(try plan(data).data as? T) }

    private func messages(_ data: String) -> [String] {
        problems { () throws(ConfigProblems) in _ = try plan(data) }
    }

    @Test func everyKeyIsRead() throws {
        let classes = try source(
            TextClassesSource.self,
            """
            reader = "text-classes"
            path = "/d"
            classes = ["neg", "/e/pos"]
            sequence-length = 7
            vocabulary-size = 99
            minimum-count = 2
            lower-case = true
            padding = "post"
            truncating = "post"
            validation-split = 0.2
            test-split = 0.3
            stratified = true
            """)
        #expect(classes.classes.map(\.path) == ["/d/neg", "/e/pos"] && classes.classes.map(\.name) == ["neg", "pos"])
        #expect(classes.sequenceLength == 7 && classes.vocabularySize == 99 && classes.minimumCount == 2)
        #expect(classes.lowerCase && classes.padding == .post && classes.truncating == .post)
        #expect(classes.split == SplitRule(validation: 0.2, test: 0.3, isStratified: true))

        let pairs = try source(
            ParallelTextSource.self,
            """
            reader = "parallel-text"
            path = "/d"
            source = "a"
            target = "b"
            validation-source = "c"
            validation-target = "d"
            test-source = "e"
            test-target = "f"
            minimum-count = 3
            vocabulary-size = 50
            maximum-length = 20
            bucket-lengths = [5, 10]
            lower-case = true
            """)
        #expect(pairs.files.map(\.path) == ["/d/a", "/d/b", "/d/c", "/d/d", "/d/e", "/d/f"])
        #expect(pairs.minimumCount == 3 && pairs.vocabularySize == 50 && pairs.maximumLength == 20)
        #expect(pairs.bucketLengths == [5, 10] && pairs.lowerCase && pairs.hasValidation)

        let text = try source(
            StreamSource.self,
            """
            reader = "text"
            path = "/d"
            train = "a"
            validation = "b"
            test = "c"
            sequence-length = 9
            vocabulary-size = 8
            minimum-count = 2
            lower-case = true
            """)
        #expect(text.files.map(\.path) == ["/d/a", "/d/b", "/d/c"] && text.sequenceLength == 9)

        let audio = try source(
            AudioSource.self,
            """
            reader = "audio"
            path = "/d"
            pattern = "{label}_{take}.wav"
            test-field = "take"
            test-values = [0, "1"]
            sample-count = 4000
            sample-rate = 8000
            normalize = "rms"
            align = "start"
            stratified = true
            """)
        #expect(audio.test?.field == "take" && audio.test?.values == ["0", "1"] && audio.sampleCount == 4000)
        #expect(audio.sampleRate == 8000 && audio.loudness == .rms && audio.alignment == .start)

        let table = try source(
            CSVSource.self,
            """
            reader = "csv"
            path = "/d"
            file = "t.csv"
            target = "y"
            target-type = "number"
            columns = ["a", "b"]
            ignore = ["c"]
            missing = "median"
            drop-duplicates = true
            normalize = "min-max"
            folds = 5
            fold = 4
            """)
        #expect(table.file == "/d/t.csv" && table.target == "y" && table.targetKind == .number)
        #expect(table.columns == ["a", "b"] && table.ignored == ["c"] && table.missing == .median)
        #expect(table.dropsDuplicates && table.scaling == .minMax && table.split == SplitRule(folds: 5, fold: 4))

        let generated = try source(
            RatingsSource.self, "reader = \"ratings\"\nusers = 9\nitems = 8\nrank = 2\nnoise = 0.5\nratings = 72")
        var generator = RatingsSource.Generator()
        (generator.users, generator.items, generator.rank, generator.noise, generator.ratings) = (9, 8, 2, 0.5, 72)
        #expect(generated.origin == .generated(generator))
        let read = try source(
            RatingsSource.self, "reader = \"ratings\"\npath = \"/d\"\nfile = \"r\"\nuser = \"u\"")
        #expect(read.origin == .table(file: "/d/r", user: "u", item: "item", rating: "rating"))

        let images = try source(
            IDXSource.self,
            "reader = \"idx\"\npath = \"/d\"\naugment = { flip-horizontal = true, shift = 2 }\ntest-split = 0.2")
        #expect(images.augmentation == Augmentation(flipHorizontal: true, shift: 2))
        #expect(images.split.test == 0.2 && images.test == nil)
    }

    @Test(arguments: [
        ("", "job.toml:3: \"reader\" is missing in [data]; for example reader = \"idx\""),
        ("reader = 3", "job.toml:4: \"data.reader\" must be a string in quotes, not an integer"),
        (
            "reader = \"csv\"\npath = \"/d\"\ntarget = \"y\"",
            "job.toml:3: \"file\" is missing in [data]; for example file = \"patients.csv\""
        ),
        ("reader = \"csv\"\nfiel = \"x\"", "job.toml:5: unknown key \"fiel\" in [data]; did you mean \"file\"?"),
        (
            "reader = \"csv\"\nmissing = \"mode\"",
            "job.toml:5: \"data.missing\" is \"mode\"; it must be one of error, drop, mean, median"
        ),
        ("reader = \"csv\"\nfolds = 5\nfold = 5", "job.toml:6: \"data.fold\" is 5, but the 5 folds are 0 to 4"),
        ("reader = \"csv\"\nfold = 1", "job.toml:5: \"data.fold\" needs \"folds\"; folds = 5"),
        (
            "reader = \"csv\"\nfolds = 5\ntest-split = 0.1",
            "job.toml:6: with \"folds\", the fold is the test set; \"test-split\" has no use"
        ),
        ("reader = \"csv\"\nstratified = 1", "job.toml:5: \"data.stratified\" must be true or false, not an integer"),
        ("reader = \"text\"\nstratified = true", "job.toml:5: unknown key \"stratified\" in [data]"),
        (
            "reader = \"text\"\ntest = \"t\"\nfolds = 3",
            "job.toml:6: \"test\" tells the test samples already; leave one of both out"
        ),
        (
            "reader = \"text\"\nvalidation = \"t\"\nvalidation-split = 0.1",
            "job.toml:6: \"validation\" tells the validation samples already; leave one of both out"
        ),
        (
            "reader = \"idx\"\npath = \"/d\"\ntest-labels = \"t\"\ntest-split = 0.1",
            "job.toml:7: \"test-images\" tells the test samples already; leave one of both out"
        ),
        (
            "reader = \"idx\"\naugment = { shift = -1 }",
            "job.toml:5: \"data.augment.shift\" is -1; it must be from 0 to 1000"
        ),
        (
            "reader = \"parallel-text\"\ntest-source = \"t\"",
            "job.toml:5: \"test-source\" needs \"test-target\"; a pair has both sides"
        ),
        (
            "reader = \"parallel-text\"\nbucket-lengths = [1]",
            "job.toml:5: \"data.bucket-lengths\" must be an array of integers from 2 to 10000"
        ),
        (
            "reader = \"text-classes\"\nclasses = [\"a\"]",
            "job.toml:5: \"data.classes\" must name a file for each class, at least 2"
        ),
        ("reader = \"text-classes\"\nclasses = [\"a\", \"a\"]", "job.toml:5: \"data.classes\" names a file twice"),
        (
            "reader = \"text-classes\"",
            "job.toml:3: \"sequence-length\" is missing in [data]; for example sequence-length = 40"
        ),
        ("reader = \"audio\"\npattern = \"{a}\"", "job.toml:5: \"data.pattern\" has no {label}, which names the class"),
        (
            "reader = \"audio\"\npattern = \"{a\"",
            "job.toml:5: \"data.pattern\": the pattern \"{a\" has a { without its }"
        ),
        (
            "reader = \"audio\"\ntest-field = \"x\"\ntest-values = [1]\npattern = \"{label}-{a}\"",
            "job.toml:5: \"data.test-field\" is \"x\", but the pattern has label, a"
        ),
        (
            "reader = \"audio\"\ntest-field = \"x\"",
            "job.toml:3: \"test-values\" is missing in [data]; for example test-values = [0, 1, 2]"
        ),
        (
            "reader = \"audio\"\ntest-values = [1.5]",
            "job.toml:5: \"data.test-values\" must be an array of strings or integers"
        ),
        (
            "reader = \"ratings\"\nusers = 3\nitems = 4",
            "job.toml:3: \"data.ratings\" is 50000, but there are only 12 pairs of users and items"
        ),
        (
            "reader = \"ratings\"\nfile = \"r\"",
            "job.toml:3: \"path\" is missing in [data]; for example path = \"ratings\""
        ),
    ])
    func mistakesAreNamedWithTheirLine(data: String, expected: String) {
        let found = messages(data)
        #expect(found.contains { $0.hasPrefix(expected) }, "\(found)")
    }

    /// Every key that a reader asks for stands in the table of `docs/training.md`, and no other.
    @Test func theDocumentationNamesEveryKey() throws {
        let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
        let text = String(decoding: try Workshop.read(root + "/docs/training.md"), as: UTF8.self)
        var documented: Set<String> = []
        for line in text.split(separator: "\n") where line.hasPrefix("| `data.") {
            let cell = line.split(separator: "|")[0]
            for part in cell.split(separator: "`").enumerated() where part.offset % 2 == 1 {
                documented.insert(
                    part.element.hasPrefix("data.") ? String(part.element.dropFirst(5)) : String(part.element))
            }
        }
        var read: Set<String> = ["reader"]
        for (_, reader) in DataCatalog.readers {
            for extra in ["", "file = \"x\""] {
                let collector = ConfigReader.Collector()
                let table = try TOMLParser.parse("zzzzzzzzzzzzzz = 1\n" + extra, file: "t")
                let keys = ConfigReader(table, name: "data", file: "t", collector: collector)
                _ = reader(keys)
                keys.finish()
                let hint = collector.problems.compactMap(\.hint).first { $0.hasPrefix("known here: ") }
                let known = try #require(hint).dropFirst("known here: ".count)
                read.formUnion(known.split(separator: ", ").map(String.init))
            }
        }
        #expect(documented == read)
    }

    @Test func aTableFromFileToModel() throws {
        let workshop = try Workshop()
        let rows = (0..<60).map {
            "\($0 % 7),\($0 % 2 == 0 ? -1 : 1),\($0 % 2 == 0 ? "benign" : "malignant"),id\($0)\n"
        }
        try workshop.write("t.csv", "a,b,kind,id\n" + rows.joined())
        let job = try workshop.write(
            "job.toml",
            """
            [train]
            epochs = 20
            batch-size = 8
            optimizer = { name = "adam", learning-rate = 0.1 }
            [data]
            reader = "csv"
            path = "."
            file = "t.csv"
            target = "kind"
            ignore = ["id"]
            folds = 3
            fold = 1
            stratified = true
            [[model.layer]]
            type = "dense"
            units = 2
            activation = "softmax"
            """)
        let check = try Program.run(["check", job], in: workshop)
        #expect(check.status == 0, "\(check.errors)")
        #expect(check.output.contains("data    36 training, 4 validation, 20 test samples of 2, 2 classes"))
        let model = workshop.path + "/model"
        let run = try Program.run(["fit", job, "--output", model], in: workshop)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("test  loss "))
        let card = String(decoding: try Workshop.read(model + "/card.md"), as: UTF8.self)
        #expect(card.contains("classes 0 to 1: `benign`, `malignant`"))
        #expect(card.contains("| test | 20 | "))
        let kept = try JSON.decode(Preprocessing.self, from: Data(try Workshop.read(model + "/preprocess.json")))
        #expect(kept.table?.columns.map(\.name) == ["a", "b"] && kept.classes == ["benign", "malignant"])
        #expect(abs(try #require(kept.table).encode([0, 1])[1] - 1) < 0.1)

        try workshop.write("t.csv", "a,b,kind,id\n1,x,y,z\n")
        let bad = try Program.run(["check", job], in: workshop)
        #expect(
            bad.errors
                == "\(job):7: data: \(workshop.path)/t.csv:2: column \"b\": \"x\" is not a number; "
                + "columns without numbers go into ignore\n")
    }

    @Test func whatWasDoneSurvivesTheModelDirectory() throws {
        let workshop = try Workshop()
        try workshop.write("a.txt", "One two\nthree\n")
        try workshop.write("b.txt", "two \"four\"\nüber\n")
        var sources: [any DataSource] = []
        var classes = TextClassesSource()
        classes.classes = [("a.txt", workshop.path + "/a.txt"), ("b.txt", workshop.path + "/b.txt")]
        sources.append(classes)
        var pairs = ParallelTextSource()
        pairs.train = .init(source: workshop.path + "/a.txt", target: workshop.path + "/b.txt")
        pairs.minimumCount = 1
        sources.append(pairs)
        var stream = StreamSource()
        stream.train = workshop.path + "/a.txt"
        stream.sequenceLength = 2
        sources.append(stream)
        sources.append(RatingsSource())
        for source in sources {
            let preprocessing = try source.load(seed: 1).preprocessing
            let text = try JSON.text(preprocessing, pretty: true)
            #expect(try JSON.decode(Preprocessing.self, from: Data(text.utf8)) == preprocessing)
            #expect(!preprocessing.facts.isEmpty && preprocessing.reader == source.reader)
        }
        #expect(throws: (any Error).self) { try JSON.decode(Vocabulary.self, from: Data("[\"a\", \"a\"]".utf8)) }
    }
}
