/// How a record of numbers becomes a row: `(value - center) / scale` for each column.
package struct TablePreparation: Codable, Hashable, Sendable {
    package enum Missing: String, Codable, CaseIterable, Sendable {
        /// The data are refused.
        case error
        /// The record is left out.
        case drop
        /// The mean, or the median, of the training records stands in.
        case mean, median
    }

    package enum Scaling: String, Codable, CaseIterable, Sendable {
        case none
        /// To mean 0 and deviation 1 (of the population) of the training records.
        case standardize
        /// To 0...1 of the training records.
        case minMax = "min-max"
    }

    package struct Column: Codable, Hashable, Sendable {
        package var name: String
        /// What stands in for a missing value, where anything may.
        package var fill: Double?
        package var center: Double
        package var scale: Double
    }

    /// In the order of the features.
    package var columns: [Column]
    package var target: String
    package var missing: Missing
    package var scaling: Scaling

    /// The row for one record, its values in the order of ``columns``.
    ///
    /// - Throws: `content` if there are more or fewer, or one is missing that nothing stands in for.
    package func encode(_ values: [Double?]) throws(DatasetError) -> [Float] {
        guard values.count == columns.count else {
            throw DatasetError(.content, "\(values.count) values for \(columns.count) columns")
        }
        var row: [Float] = []
        for (column, value) in zip(columns, values) {
            guard let value = value ?? column.fill else {
                throw DatasetError(.content, "no value for \"\(column.name)\"")
            }
            row.append(Float((value - column.center) / column.scale))
        }
        return row
    }

    /// Fits one column to the training records' values, of which NaN are missing.
    ///
    /// - Returns: nil if there is no value at all.
    static func fit(_ name: String, _ values: [Double], _ missing: Missing, _ scaling: Scaling) -> Column? {
        let known = values.filter { !$0.isNaN }
        if known.isEmpty { return nil }
        let fill: Double? =
            switch missing {
            case .error, .drop: nil
            case .mean: mean(known)
            case .median: median(known)
            }
        // As the model will see them: with what stands in.
        let seen = fill.map { fill in values.map { $0.isNaN ? fill : $0 } } ?? known
        switch scaling {
        case .none: return Column(name: name, fill: fill, center: 0, scale: 1)
        case .standardize:
            let center = mean(seen)
            let variance = seen.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(seen.count)
            return Column(name: name, fill: fill, center: center, scale: positive(variance.squareRoot()))
        case .minMax:
            let low = seen.min() ?? 0
            return Column(name: name, fill: fill, center: low, scale: positive((seen.max() ?? low) - low))
        }
    }

    /// Values all alike have nothing to divide by.
    private static func positive(_ scale: Double) -> Double { scale > 0 ? scale : 1 }

    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
