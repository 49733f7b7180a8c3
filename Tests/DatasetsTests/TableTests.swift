import Tensors
import Testing

@testable import Datasets

@Suite struct TableTests {
    let scratch = Scratch()

    private func table(_ text: String) throws(DatasetError) -> CSVTable {
        try CSVTable(bytes: Array(text.utf8), path: "t.csv")
    }

    private func error(_ source: any DataSource) -> String? {
        do throws(DatasetError) {
            _ = try source.load(seed: 1)
            return nil
        } catch { return error.description }
    }

    private func source(_ text: String, target: String = "y") -> CSVSource {
        var source = CSVSource()
        source.file = scratch.write("t.csv", text)
        source.target = target
        source.split = SplitRule(validation: 0)
        return source
    }

    private func column(_ data: Dataset, _ column: Int) -> [Float] {
        let samples = data.train[0].samples
        return (0..<samples.count).map { samples.features.base[$0 * samples.width + column] }
    }

    @Test func quotesLineEndsAndEmptyFields() throws {
        let table = try table("\u{feff}a,\"b \"\"x\"\"\",c\r\n1,\"two\nlines, \"\"quoted\"\"\",\n\n,,\" z \"\n")
        #expect(table.columns == ["a", "b \"x\"", "c"])
        #expect(table.count == 2 && table.lines == [2, 5])
        #expect((0..<3).map { table.field(0, $0) } == ["1", "two\nlines, \"quoted\"", ""])
        #expect((0..<3).map { table.field(1, $0) } == ["", "", "z"])
        #expect(try self.table("a").count == 0)
        #expect(try self.table("a,b\n1,").field(0, 1) == "")
    }

    @Test(arguments: [
        ("", "t.csv:1: it is empty; the first line must name the columns"),
        ("\n\r\n", "t.csv:1: it is empty; the first line must name the columns"),
        ("a,a\n", "t.csv:1: two columns have the same name"),
        ("a,b\n1,2\n3\n", "t.csv:3: 1 field, but there are 2 columns"),
        ("a,b\n1,2,3\n", "t.csv:2: 3 fields, but there are 2 columns"),
        ("a\n\"1\n2", "t.csv:2: a quote that is never closed"),
        ("a\n1\"2\n", "t.csv:2: a quote in a field that does not begin with one"),
        ("a\n\"1\"2\n", "t.csv:2: a closing quote in the middle of a field"),
        ("a\n1\r2\n", "t.csv:2: a carriage return that ends no line"),
        (String(repeating: ",", count: 70_000), "t.csv:1: more than 65536 fields"),
        (
            "a\n" + String(repeating: "x", count: 1_048_577),
            "t.csv:2: a field of 1048577 bytes; at most 1048576 are read"
        ),
    ])
    func tablesThatAreNone(text: String, expected: String) {
        let error = #expect(throws: DatasetError.self) { try table(text) }
        #expect(error?.description == expected)
    }

    @Test func textThatIsNotUTF8() {
        let error = #expect(throws: DatasetError.self) {
            try CSVTable(bytes: Array("a\n1\n".utf8) + [0xfe, 10], path: "t.csv")
        }
        #expect(error?.description == "t.csv:3: not UTF-8 text")
    }

    @Test func numbers() {
        #expect(CSVTable.number("-1.5e3") == -1500 && CSVTable.number("+2") == 2 && CSVTable.number(".5") == 0.5)
        for wrong in ["", "0x10", "inf", "1e400", "1e39", "1,5", "12 3", "--1", "e"] as [Substring] {
            #expect(CSVTable.number(wrong) == nil, "\(wrong)")
        }
    }

    @Test func classesAndScaling() throws {
        var source = source("id,x,y,z\nr1,1,no,5\nr2,3,yes,5\nr3,5,no,5\n")
        source.ignored = ["id"]
        let data = try source.load(seed: 1)
        #expect(data.preprocessing.classes == ["no", "yes"] && data.classes == 2)
        #expect(data.train[0].samples.targets.values == [0, 1, 0])
        let deviation = (8.0 / 3).squareRoot()
        #expect(zip(column(data, 0), [-2 / deviation, 0, 2 / deviation]).allSatisfy { abs(Double($0) - $1) < 1e-6 })
        // Nothing to divide by.
        #expect(column(data, 1) == [0, 0, 0])
        let preparation = try #require(data.preprocessing.table)
        #expect(preparation.columns.map(\.name) == ["x", "z"] && preparation.columns[0].center == 3)
        #expect(try preparation.encode([3, 6]) == [0, 1])
        #expect(throws: DatasetError.self) { try preparation.encode([3]) }
        #expect(throws: DatasetError.self) { try preparation.encode([3, nil]) }

        source.scaling = .minMax
        #expect(column(try source.load(seed: 1), 0) == [0, 0.5, 1])
        source.scaling = .none
        source.columns = ["z", "x", "z"]
        let plain = try source.load(seed: 1)
        #expect(column(plain, 0) == [5, 5, 5] && column(plain, 1) == [1, 3, 5])
    }

    @Test func scalesComeFromTheTrainingRecordsAlone() throws {
        var random = SplitMix64(seed: 3)
        let numbers = (0..<40).map { _ in Double(random.below(1000)) }
        var source = source("x,y\n" + numbers.map { "\($0),1\n" }.joined())
        source.split = SplitRule(validation: 0.25, test: 0.25)
        source.targetKind = .number
        let data = try source.load(seed: 9)
        let train = data.train[0].indices.map { numbers[Int($0)] }
        // The half of a sample that is too many goes to the validation.
        #expect(train.count == 22)
        #expect(abs((data.preprocessing.table?.columns[0].center ?? 0) - train.reduce(0, +) / 22) < 1e-9)
        #expect(data.classes == nil && data.train[0].samples.targetShape.dimensions == [1])
    }

    @Test func missingValuesAndRepetitions() throws {
        let text = "x,y\n1,a\n,a\n3,b\nNA,b\n8,\n1,a\n"
        #expect(
            error(source(text))
                == "\(scratch.path)/t.csv:3: column \"x\" has no value; missing = \"drop\" leaves such records out")
        var source = source(text)
        source.scaling = .none
        source.missing = .drop
        let dropped = try source.load(seed: 1)
        #expect(column(dropped, 0) == [1, 3, 1])
        #expect(dropped.notes == ["3 records with missing values were left out"])
        source.dropsDuplicates = true
        #expect(column(try source.load(seed: 1), 0) == [1, 3])
        source.missing = .mean
        #expect(error(source)?.contains("t.csv:6: column \"y\" has no value") == true)
        source.file = scratch.write("t.csv", text.replacing("8,", with: "8,b"))
        #expect(column(try source.load(seed: 1), 0) == [1, 4, 3, 4, 8])
        source.missing = .median
        #expect(column(try source.load(seed: 1), 0) == [1, 3, 3, 3, 8])
        source.file = scratch.write("t.csv", "x,y\n,a\n,b\n")
        #expect(error(source)?.hasSuffix("column \"x\" has no value in any training record") == true)
    }

    @Test func whatTheJobAsksForAndTheTableLacks() {
        #expect(error(source("x,y\n1,a\n", target: "q")) == "\(scratch.path)/t.csv:1: no column \"q\"; there are x, y")
        #expect(
            error(source("x,y\nred,a\n"))
                == "\(scratch.path)/t.csv:2: column \"x\": \"red\" is not a number; columns without numbers go into ignore"
        )
        #expect(error(source("y\na\n")) == "\(scratch.path)/t.csv:1: no column is left to learn from")
        #expect(error(source("x,y\n")) == "\(scratch.path)/t.csv: there is no record in it")
        var numeric = source("x,y\n1,a\n")
        numeric.targetKind = .number
        #expect(error(numeric) == "\(scratch.path)/t.csv:2: column \"y\": \"a\" is not a number")
        numeric.file = scratch.path + "/none"
        #expect(error(numeric)?.hasSuffix("cannot open it: No such file or directory") == true)
    }

    @Test func garbageIsAnErrorOrATable() {
        var random = SplitMix64(seed: 6)
        let pieces = Array("x,y\n\r\"\" 1,2\n,\0é?-e9".utf8) + [0xff]
        var tables = 0
        for _ in 0..<3000 {
            var bytes = Array("x,y\n".utf8)
            for _ in 0..<random.below(30) { bytes.append(pieces[random.below(pieces.count - random.below(2) * 4)]) }
            if let table = try? CSVTable(bytes: bytes, path: "") {
                tables += 1
                for row in 0..<table.count { _ = table.field(row, table.columns.count - 1) }
            }
            guard random.below(10) == 0 else { continue }
            var source = CSVSource()
            source.file = scratch.write("g.csv", bytes)
            source.target = "y"
            source.missing = .median
            source.dropsDuplicates = true
            _ = error(source)
        }
        #expect(tables > 20)
    }

    @Test func whatIsWrittenIsRead() throws {
        var random = SplitMix64(seed: 15)
        let letters = ["a", "\"", ",", "\n", "\r\n", "é", "7", "\u{1F600}"]
        for _ in 0..<100 {
            let width = 1 + random.below(4)
            let rows = (0..<random.below(5)).map { _ in
                (0..<width).map { _ in "<" + (0..<random.below(6)).map { _ in letters[random.below(8)] }.joined() + ">"
                }
            }
            let header = (0..<width).map { "c\($0)" }
            let text = ([header] + rows).map { row in
                row.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }.joined(separator: ",")
            }.joined(separator: random.below(2) == 0 ? "\n" : "\r\n")
            let table = try table(text)
            #expect(table.count == rows.count)
            for (index, row) in rows.enumerated() {
                // By bytes: `\r\n` is one character to Swift.
                for (column, field) in row.enumerated() {
                    #expect(Array(table.field(index, column).utf8) == Array(field.utf8))
                }
            }
        }
    }
}

@Suite struct RatingsTests {
    let scratch = Scratch()

    @Test func generatedRatingsAreDistinctAndSeeded() throws {
        var generator = RatingsSource.Generator()
        (generator.users, generator.items, generator.rank, generator.ratings) = (7, 5, 3, 35)
        var source = RatingsSource()
        source.origin = .generated(generator)
        source.split = SplitRule(validation: 0.1, test: 0.2)
        let data = try source.load(seed: 3)
        let samples = data.train[0].samples
        let pairs = (0..<35).map { [samples.features.base[2 * $0], samples.features.base[2 * $0 + 1]] }
        #expect(Set(pairs).count == 35)
        #expect(pairs.allSatisfy { (0..<7).contains($0[0]) && (0..<5).contains($0[1]) })
        #expect(try source.load(seed: 3).train[0].samples.targets.values == samples.targets.values)
        #expect(try source.load(seed: 4).train[0].samples.targets.values != samples.targets.values)
        #expect(data.vocabularySizes == [7, 5] && data.preprocessing.ratings?.noise == 0.1)
        let outline = try source.outline(seed: 3)
        #expect(outline.trainCount == Dataset.count(data.train) && outline.testCount == Dataset.count(data.test))
        #expect(outline.dataBytes == data.bytes && outline.inputs == samples.inputs)
        generator.ratings = 36
        source.origin = .generated(generator)
        let error = #expect(throws: DatasetError.self) { try source.load(seed: 1) }
        #expect(error?.message == "36 ratings of 5 items by 7 users: each pair is rated once at most")
    }

    @Test func ratingsAreAsLargeAsTheyShouldBe() throws {
        var generator = RatingsSource.Generator()
        (generator.users, generator.items, generator.ratings, generator.noise) = (300, 200, 20_000, 0.5)
        var source = RatingsSource()
        source.origin = .generated(generator)
        let values = try source.load(seed: 1).train[0].samples.targets.values.map { Double($0) }
        let mean = values.reduce(0, +) / 20_000
        let variance = values.reduce(0) { $0 + $1 * $1 } / 20_000
        #expect(abs(mean) < 0.1 && abs(variance - 1.25) < 0.15, "\(mean) \(variance)")
    }

    @Test func ratingsFromATable() throws {
        let file = scratch.write("r.csv", "who,what,stars,when\nann,tea,5,x\nbob,tea,3.5,\nann,milk,1,\n")
        var source = RatingsSource()
        source.origin = .table(file: file, user: "who", item: "what", rating: "stars")
        source.split = SplitRule(validation: 0)
        let data = try source.load(seed: 1)
        #expect(data.train[0].samples.features.values == [0, 0, 1, 0, 0, 1])
        #expect(data.train[0].samples.targets.values == [5, 3.5, 1])
        #expect(data.preprocessing.ratings?.users == ["ann", "bob"])
        #expect(data.preprocessing.ratings?.items == ["tea", "milk"])
        func error(_ text: String) -> String? {
            scratch.write("r.csv", text)
            return #expect(throws: DatasetError.self) { try source.load(seed: 1) }?.description
        }
        #expect(error("who,what,stars\nann,tea,good\n") == "\(file):2: column \"stars\": \"good\" is not a number")
        #expect(error("who,what,stars\nann, ,1\n") == "\(file):2: a rating without a user or an item")
        #expect(error("who,what\n") == "\(file):1: no column \"stars\"; there are who, what")
        #expect(error("who,what,stars\n") == "\(file): there is no record in it")
    }

    /// Of short fields it is many times the file: counted by the field, not by the byte.
    @Test func readingIsCountedByTheField() throws {
        let text = "a,b,c,d\n" + String(repeating: "1,2,3,x\n", count: 1000)
        let table = try CSVTable(bytes: Array(text.utf8), path: "t.csv")
        #expect(table.loadingBytes == 2 * 4000 + 30 * 4000)
    }

    @Test func theFingerprintChangesWithEveryValue() throws {
        func fingerprint(_ values: [Float], _ targets: [Float], train: [Int32]) throws -> UInt64 {
            func buffer(_ values: [Float]) throws -> FloatBuffer {
                let buffer = try FloatBuffer(count: values.count)
                for (index, value) in values.enumerated() { buffer.base[index] = value }
                return buffer
            }
            let samples = try Samples(
                count: targets.count, shape: try Shape([values.count / targets.count]), features: try buffer(values),
                targetShape: try Shape([]), targets: try buffer(targets))
            return Dataset(
                train: [.init(samples: samples, indices: train)], validation: [], test: [], classes: nil,
                preprocessing: Preprocessing(reader: "csv", inputShapes: [[1]])
            ).fingerprint
        }
        let values = (0..<14).map { Float($0) }
        let known = try fingerprint(values, [1, 2], train: [0, 1])
        #expect(try fingerprint(values, [1, 2], train: [0, 1]) == known)
        var all: Set<UInt64> = [known]
        for index in values.indices {
            var changed = values
            changed[index] += 1
            all.insert(try fingerprint(changed, [1, 2], train: [0, 1]))
        }
        all.insert(try fingerprint(values, [1, 3], train: [0, 1]))
        all.insert(try fingerprint(values, [1, 2], train: [1, 0]))
        all.insert(try fingerprint(values, [1, 2], train: [0]))
        #expect(all.count == 1 + 14 + 3)
    }
}
