extension Preprocessing {
    /// What is wrong with a description that was read from a file, so that no sample can be prepared by it; nil if
    /// nothing is.
    package var problem: String? {
        guard let first = inputShapes.first, inputShapes.allSatisfy({ $0.allSatisfy { $0 > 0 } }) else {
            return "it does not tell the shape of a sample"
        }
        var width = 1
        for size in first {
            let (product, overflow) = width.multipliedReportingOverflow(by: size)
            if overflow { return "a sample is too large" }
            width = product
        }
        func wrong(_ what: String, _ count: Int) -> String? {
            count == width ? nil : "\(what) of \(count), but the model takes \(width) numbers"
        }
        if let pixels, !(pixels.deviation.isFinite && pixels.deviation != 0 && pixels.mean.isFinite) {
            return "pixels are divided by \(pixels.deviation)"
        }
        if let sentence { return wrong("sentences", sentence.sequenceLength) }
        if let recording { return wrong("recordings", recording.sampleCount) }
        if let table {
            if let column = table.columns.first(where: { !($0.scale.isFinite && $0.scale != 0 && $0.center.isFinite) })
            {
                return "column \"\(column.name)\" is divided by \(column.scale)"
            }
            return wrong("records", table.columns.count)
        }
        guard let pair else { return nil }
        let isAscending = zip(pair.lengths, pair.lengths.dropFirst()).allSatisfy { $0 < $1 }
        guard let shortest = pair.lengths.first, shortest > 0, isAscending else {
            return "sentences of the lengths \(pair.lengths)"
        }
        return wrong("sentences", pair.maximumLength)
    }
}
