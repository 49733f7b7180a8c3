/// How raw bytes become model inputs: `value x scale + offset`. Kept with the model, since whoever uses it must do the
/// same.
package struct Normalization: Hashable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        /// As they are: 0 to 255.
        case none
        /// Divided by 255: 0 to 1.
        case scale
        /// Minus the mean, divided by the standard deviation; both of all values of the training samples, and of no
        /// others, so that nothing of the validation and test samples leaks into training.
        case standardize
    }

    package let kind: Kind
    package let mean: Double
    package let deviation: Double

    /// - Parameters:
    ///   - bytes: `[count][width]`.
    ///   - indices: the training samples.
    package init(_ kind: Kind, bytes: ArraySlice<UInt8>, width: Int, indices: [Int32]) {
        self.kind = kind
        switch kind {
        case .none: (mean, deviation) = (0, 1)
        case .scale: (mean, deviation) = (0, 255)
        case .standardize: (mean, deviation) = Normalization.moments(bytes, width, indices)
        }
    }

    package var scale: Double { 1 / deviation }
    package var offset: Double { -mean / deviation }

    /// The input for each value of a byte.
    package var table: [Float] { (0..<256).map { Float((Double($0) - mean) / deviation) } }

    /// Exact: from how often each value occurs.
    private static func moments(_ bytes: ArraySlice<UInt8>, _ width: Int, _ indices: [Int32]) -> (Double, Double) {
        var histogram = [Int](repeating: 0, count: 256)
        bytes.withUnsafeBufferPointer { all in
            for index in indices {
                let start = Int(index) * width
                guard start >= 0, start + width <= all.count else { continue }
                for value in all[start..<(start + width)] { histogram[Int(value)] += 1 }
            }
        }
        let count = Double(max(indices.count * width, 1))
        let mean = histogram.enumerated().reduce(0) { $0 + Double($1.offset) * Double($1.element) } / count
        let variance = histogram.enumerated().reduce(0) { sum, entry in
            sum + (Double(entry.offset) - mean) * (Double(entry.offset) - mean) * Double(entry.element)
        }
        let deviation = (variance / count).squareRoot()
        // Samples all alike have no deviation to divide by.
        return (mean, deviation > 0 ? deviation : 1)
    }
}
