import Tensors

/// A table of numbers with a class, or a number to predict, in one column.
package struct CSVSource: DataSource {
    package enum TargetKind: String, CaseIterable, Sendable {
        /// Any text; the classes are numbered in the order of their names.
        case `class`
        case number
    }

    package var file = ""
    package var target = ""
    package var targetKind = TargetKind.class
    /// The features, in this order; nil for all columns but the target.
    package var columns: [String]?
    package var ignored: [String] = []
    package var missing = TablePreparation.Missing.error
    package var dropsDuplicates = false
    package var scaling = TablePreparation.Scaling.standardize
    package var split = SplitRule()

    package init() {}

    package let reader = "csv"
    package var hasValidation: Bool { split.validation > 0 }
    package var files: [(role: String, path: String)] { [("table", file)] }

    package func load(seed: UInt64) throws(DatasetError) -> Dataset {
        let table = try CSVTable(file)
        let targetColumn = try table.column(target)
        let features = try featureColumns(table)
        var notes: [String] = []
        let records = try clean(table, targetColumn, features, &notes)
        guard !records.targets.isEmpty else {
            throw DatasetError(.content, "there is no record in it", path: file)
        }

        var names: [String]?
        var targets: [Float] = []
        switch targetKind {
        case .class:
            let sorted = Set(records.targets).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            let numbers = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($0.element, Float($0.offset)) })
            targets = records.targets.map { numbers[$0] ?? 0 }
            names = sorted.map { String($0) }
        case .number:
            for (row, text) in records.targets.enumerated() {
                guard let value = CSVTable.number(text) else {
                    throw DatasetError(
                        .content, "column \"\(target)\": \"\(text.prefix(40))\" is not a number", path: file,
                        line: records.lines[row])
                }
                targets.append(Float(value))
            }
        }
        let count = targets.count
        let width = features.count
        let parts = Split(
            count: count, rule: split, seed: seed, classes: names == nil ? nil : targets.map { Int32($0) })
        try requireParts(parts, split, path: file)

        var columns: [TablePreparation.Column] = []
        for (place, feature) in features.enumerated() {
            let values = parts.train.map { records.values[Int($0) * width + place] }
            guard let column = TablePreparation.fit(table.columns[feature], values, missing, scaling) else {
                throw DatasetError(
                    .content, "column \"\(table.columns[feature])\" has no value in any training record", path: file)
            }
            columns.append(column)
        }
        let samples = try arrays { () throws(TensorError) in
            let rows = try FloatBuffer(count: count * width)
            let goals = try FloatBuffer(count: count)
            for row in 0..<count {
                goals.base[row] = targets[row]
                for (place, column) in columns.enumerated() {
                    let value = records.values[row * width + place]
                    let known = value.isNaN ? column.fill ?? value : value
                    rows.base[row * width + place] = Float((known - column.center) / column.scale)
                }
            }
            return try Samples(
                count: count, shape: try Shape([width]), features: rows,
                targetShape: try Shape(names == nil ? [1] : []), targets: goals)
        }
        var preprocessing = Preprocessing(reader: reader, inputShapes: [[width]], classes: names)
        preprocessing.table = TablePreparation(columns: columns, target: target, missing: missing, scaling: scaling)
        var dataset = Dataset(samples, parts, classes: names?.count, preprocessing: preprocessing)
        dataset.notes = notes
        dataset.loadingBytes = table.loadingBytes
        return dataset
    }

    private func featureColumns(_ table: CSVTable) throws(DatasetError) -> [Int] {
        var left: Set<Int> = [try table.column(target)]
        for name in ignored { left.insert(try table.column(name)) }
        var features: [Int] = []
        for name in columns ?? table.columns {
            let column = try table.column(name)
            // Named twice, it would only weigh twice.
            if left.insert(column).inserted { features.append(column) }
        }
        if features.isEmpty { throw DatasetError(.content, "no column is left to learn from", path: file, line: 1) }
        return features
    }

    private struct Records {
        /// `[count][features]`; NaN where missing.
        var values: [Double] = []
        var targets: [Substring] = []
        var lines: [Int] = []
    }

    private func clean(
        _ table: CSVTable, _ targetColumn: Int, _ features: [Int], _ notes: inout [String]
    ) throws(DatasetError) -> Records {
        var records = Records()
        var seen: Set<[UInt64]> = []
        var targetNumbers = WordIndex()
        var missed = 0
        var repeated = 0
        for row in 0..<table.count {
            var isComplete = true
            var values: [Double] = []
            for feature in features {
                let field = table.field(row, feature)
                if CSVTable.isMissing(field) {
                    isComplete = false
                    values.append(.nan)
                    if missing == .error { throw missingValue(table, row, feature) }
                } else if let value = CSVTable.number(field) {
                    values.append(value)
                } else {
                    throw DatasetError(
                        .content,
                        "column \"\(table.columns[feature])\": \"\(field.prefix(40))\" is not a number; "
                            + "columns without numbers go into ignore", path: file, line: table.lines[row])
                }
            }
            let target = table.field(row, targetColumn)
            if CSVTable.isMissing(target) {
                // Nothing can stand in for what is to be learnt.
                if missing != .drop { throw missingValue(table, row, targetColumn) }
                isComplete = false
            }
            if missing == .drop, !isComplete {
                missed += 1
                continue
            }
            if dropsDuplicates {
                let key = values.map { $0.isNaN ? .max : $0.bitPattern }
                guard seen.insert(key + [UInt64(targetNumbers.insert(String(target)))]).inserted else {
                    repeated += 1
                    continue
                }
            }
            records.values += values
            records.targets.append(target)
            records.lines.append(table.lines[row])
        }
        if missed > 0 { notes.append("\(missed) records with missing values were left out") }
        if repeated > 0 { notes.append("\(repeated) repeated records were left out") }
        return records
    }

    private func missingValue(_ table: CSVTable, _ row: Int, _ column: Int) -> DatasetError {
        DatasetError(
            .content,
            "column \"\(table.columns[column])\" has no value; missing = \"drop\" leaves such records out", path: file,
            line: table.lines[row])
    }
}
