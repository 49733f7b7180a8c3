package import Datasets
import FoundationEssentials
import JobAPI
import Tensors

/// New samples out of a file, prepared as the training samples were.
package enum NewSamples {
    /// - Parameters:
    ///   - path: `.json`: arrays of numbers, nested as one likes, each sample as the model takes it. Else what the
    ///     model's reader reads: a table with the columns of the training table, sentences one a line, pictures in the IDX
    ///     format, a WAV file.
    /// - Throws: `data` with the file and what is wrong with it.
    package static func read(_ path: String, for model: SavedModel) throws(TrainingError) -> FloatRows {
        let width = model.inputs.reduce(0) { $0 + $1.count }
        let preprocessing = model.preprocessing
        if path.hasSuffix(".json") { return try json(path, width: width) }
        return try training { () throws(DatasetError) in
            if let table = preprocessing.table { return try rows(path, table) }
            if let pixels = preprocessing.pixels { return try pictures(path, pixels, width: width) }
            if let sentence = preprocessing.sentence {
                return try lines(path).reduce(into: FloatRows()) { $0.append(sentence.encode($1)) }
            }
            if let recording = preprocessing.recording {
                var rows = FloatRows()
                rows.append(try recording.encode(try WAVFile.read(path)))
                return rows
            }
            throw DatasetError(
                .format, "this model takes samples as numbers: give them as JSON, in a file whose name ends in .json",
                path: path)
        }
    }

    /// The lines of a text.
    package static func lines(_ path: String) throws(DatasetError) -> [String] {
        let text = try TextFile(path)
        return text.lines.map { String(decoding: text.bytes[$0], as: UTF8.self) }
    }

    /// Numbers, however nested.
    private enum Numbers: Decodable {
        case number(Float)
        case list([Numbers])

        init(from decoder: any Decoder) throws {
            if var list = try? decoder.unkeyedContainer() {
                var values: [Numbers] = []
                while !list.isAtEnd { values.append(try list.decode(Numbers.self)) }
                self = .list(values)
            } else {
                self = .number(try decoder.singleValueContainer().decode(Float.self))
            }
        }

        func flatten(into values: inout [Float]) {
            switch self {
            case .number(let value): values.append(value)
            case .list(let list): for item in list { item.flatten(into: &values) }
            }
        }
    }

    private static func json(_ path: String, width: Int) throws(TrainingError) -> FloatRows {
        let samples: [Numbers]
        do {
            samples = try JSON.decode([Numbers].self, from: Data(try FileBytes.read(path, limit: 1 << 30)))
        } catch let error as DatasetError {
            throw TrainingError(error)
        } catch {
            throw TrainingError(.data, "\(path): it must be an array of samples, each an array of numbers: \(error)")
        }
        var rows = FloatRows()
        for (index, sample) in samples.enumerated() {
            var values: [Float] = []
            sample.flatten(into: &values)
            guard values.count == width else {
                throw TrainingError(
                    .data, "\(path): sample \(index + 1) has \(values.count) numbers; the model takes \(width)")
            }
            rows.append(values)
        }
        return rows
    }

    private static func rows(_ path: String, _ preparation: TablePreparation) throws(DatasetError) -> FloatRows {
        let table = try CSVTable(path)
        let columns = try preparation.columns.map { column throws(DatasetError) in try table.column(column.name) }
        var rows = FloatRows()
        for row in 0..<table.count {
            let values = try columns.map { column throws(DatasetError) -> Double? in
                let field = table.field(row, column)
                if CSVTable.isMissing(field) { return nil }
                guard let value = CSVTable.number(field) else {
                    throw DatasetError(
                        .content, "column \"\(table.columns[column])\": \"\(field.prefix(40))\" is not a number",
                        path: path, line: table.lines[row])
                }
                return value
            }
            do { rows.append(try preparation.encode(values)) } catch {
                throw DatasetError(error.code, error.message, path: path, line: table.lines[row])
            }
        }
        return rows
    }

    private static func pictures(_ path: String, _ scaling: PixelScaling, width: Int) throws(DatasetError) -> FloatRows
    {
        let file = try IDXFile.read(path)
        guard file.shape.count == width else {
            throw DatasetError(
                .content, "pictures of \(file.shape), where the model takes \(width) numbers", path: path)
        }
        return FloatRows(
            count: file.count, values: file.bytes.map { Float((Double($0) - scaling.mean) / scaling.deviation) })
    }
}
