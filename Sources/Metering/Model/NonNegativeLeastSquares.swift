/// Minimises `|A x - b|` over x with no negative element: Lawson and Hanson, *Solving Least Squares Problems* (1974),
/// chapter 23. For small systems: some dozens of unknowns.
enum NonNegativeLeastSquares {
    /// - Parameter rows: A by rows, each as long as the first; as many as `targets`.
    static func solve(_ rows: [[Double]], _ targets: [Double]) -> [Double] {
        let count = rows.first?.count ?? 0
        var x = [Double](repeating: 0, count: count)
        var free: [Int] = []
        // Each pass lowers the error, so no set of free unknowns comes twice; the bound is against rounding alone.
        for _ in 0..<(3 * count) {
            let gradient = (0..<count).map { column in
                zip(rows, targets).reduce(0) { sum, pair in
                    sum + pair.0[column] * (pair.1 - zip(pair.0, x).reduce(0) { $0 + $1.0 * $1.1 })
                }
            }
            guard let next = (0..<count).filter({ !free.contains($0) }).max(by: { gradient[$0] < gradient[$1] }),
                gradient[next] > 1e-12
            else { break }
            free.append(next)
            while !free.isEmpty {
                guard let trial = unconstrained(rows, targets, columns: free) else {
                    free.removeLast()
                    return x
                }
                guard trial.contains(where: { $0 <= 0 }) else {
                    for (column, value) in zip(free, trial) { x[column] = value }
                    break
                }
                // As far towards the trial as nothing gets negative; what reaches zero stays there.
                var step = 1.0
                for (column, value) in zip(free, trial) where value <= 0 && x[column] - value > 0 {
                    step = min(step, x[column] / (x[column] - value))
                }
                for (column, value) in zip(free, trial) { x[column] += step * (value - x[column]) }
                let stuck = free.filter { x[$0] <= 1e-12 }
                for column in stuck { x[column] = 0 }
                free.removeAll { stuck.contains($0) }
                if stuck.isEmpty { break }
            }
        }
        return x
    }

    /// Least squares over some columns, by the normal equations; nil if they are (nearly) dependent.
    private static func unconstrained(_ rows: [[Double]], _ targets: [Double], columns: [Int]) -> [Double]? {
        var matrix = columns.map { i in
            columns.map { j in rows.reduce(0) { $0 + $1[i] * $1[j] } }
                + [zip(rows, targets).reduce(0) { $0 + $1.0[i] * $1.1 }]
        }
        let size = columns.count
        let smallest = (0..<size).map { matrix[$0][$0] * 1e-12 }
        for pivot in 0..<size {
            let best = (pivot..<size).max { abs(matrix[$0][pivot]) < abs(matrix[$1][pivot]) } ?? pivot
            matrix.swapAt(pivot, best)
            guard abs(matrix[pivot][pivot]) > (smallest.min() ?? 0) else { return nil }
            for row in 0..<size where row != pivot {
                let factor = matrix[row][pivot] / matrix[pivot][pivot]
                for column in pivot...size { matrix[row][column] -= factor * matrix[pivot][column] }
            }
        }
        return (0..<size).map { matrix[$0][size] / matrix[$0][$0] }
    }
}
