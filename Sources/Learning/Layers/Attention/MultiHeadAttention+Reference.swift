extension MultiHeadAttention {
    /// The parameters by their names within the layer.
    package typealias Weights = [String: [Double]]

    /// The forward pass of one sample, spelt out.
    ///
    /// - Parameters:
    ///   - x: `[T][d]`
    ///   - z: `[S][e]`
    ///   - isVisible: of each vector of `z` whether it may be seen.
    package func reference(_ x: [[Double]], _ z: [[Double]], isVisible: [Bool], _ weights: Weights) -> [[Double]] {
        func project(_ name: String, _ vector: [Double]) -> [Double] {
            let kernel = weights["\(name)-kernel"] ?? []
            let units = kernel.count / vector.count
            return (0..<units).map { unit in
                vector.indices.reduce(weights["\(name)-bias"]?[unit] ?? 0) {
                    $0 + vector[$1] * kernel[$1 * units + unit]
                }
            }
        }
        let queries = x.map { project("query", $0) }
        let keys = z.map { project("key", $0) }
        let values = z.map { project("value", $0) }
        return queries.enumerated().map { position, query in
            var context: [Double] = []
            for head in 0..<heads {
                let columns = (head * keyDim)..<((head + 1) * keyDim)
                let seen = keys.indices.filter { isVisible[$0] && (!isCausal || $0 <= position) }
                let scores = seen.map { key in
                    columns.reduce(0) { $0 + query[$1] * keys[key][$1] } / Double(keyDim).squareRoot()
                }
                let probabilities = Activation.softmax.reference(scores)
                context += columns.map { column in
                    zip(seen, probabilities).reduce(0) { $0 + $1.1 * values[$1.0][column] }
                }
            }
            return project("output", context)
        }
    }
}
