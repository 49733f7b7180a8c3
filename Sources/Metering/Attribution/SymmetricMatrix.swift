/// The covariance of a small filter, all entries stored.
struct SymmetricMatrix: Sendable {
    private(set) var size: Int
    private var entries: [Double]
    /// For the step that would allocate otherwise.
    private var column: [Double] = []

    init(diagonal: [Double]) {
        size = diagonal.count
        entries = Array(repeating: 0, count: size * size)
        for (index, value) in diagonal.enumerated() { entries[index * size + index] = value }
    }

    subscript(row: Int, column: Int) -> Double {
        get { entries[row * size + column] }
        set {
            entries[row * size + column] = newValue
            entries[column * size + row] = newValue
        }
    }

    /// Multiplies one variable by a factor.
    mutating func scale(_ index: Int, by factor: Double) {
        for other in 0..<size {
            entries[index * size + other] *= factor
            entries[other * size + index] *= factor
        }
    }

    /// Adds a variable that depends on no other.
    mutating func append(_ variance: Double) {
        resize(size + 1, from: Array(0..<size))
        entries[entries.count - 1] = variance
    }

    mutating func remove(_ index: Int) {
        resize(size - 1, from: (0..<size).filter { $0 != index })
    }

    private mutating func resize(_ newSize: Int, from kept: [Int]) {
        var result = Array(repeating: 0.0, count: newSize * newSize)
        for (row, old) in kept.enumerated() {
            for (column, oldColumn) in kept.enumerated() {
                result[row * newSize + column] = entries[old * size + oldColumn]
            }
        }
        (size, entries) = (newSize, result)
    }

    /// One scalar measurement of a Kalman filter: corrects `state` and this covariance P by
    ///
    ///     s = h P h + r,   g = P h / s,   x += g e,   P -= g (P h)^T
    ///
    /// for a gradient h, a residual e and a noise variance r. A residual beyond `gate` standard deviations counts as one
    /// of larger noise, just as large as would put it at the gate.
    /// - Returns: whether the residual was within the gate.
    mutating func correct(
        _ state: inout [Double], gradient: [Double], residual: Double, noise: Double, gate: Double
    ) -> Bool {
        column.removeAll(keepingCapacity: true)
        var spread = noise
        for row in 0..<size {
            var sum = 0.0
            for index in 0..<size { sum += entries[row * size + index] * gradient[index] }
            column.append(sum)
            spread += gradient[row] * sum
        }
        let needed = residual * residual / (gate * gate)
        let isWithin = needed <= spread
        spread = max(spread, needed)
        guard spread > 0, spread.isFinite else { return false }
        for row in 0..<size {
            let gain = column[row] / spread
            state[row] += gain * residual
            // Mirrored and not computed twice: rounding would make the two halves drift apart.
            for index in 0...row { self[row, index] -= gain * column[index] }
        }
        return isWithin
    }
}
