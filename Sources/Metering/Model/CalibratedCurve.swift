/// Watts of one machine against its utilisation, fitted to its own measured points: concave, never falling, of few pieces.
///
/// Concave for the reason ``PowerCurve`` is. The constraint is also what makes the fit hold against noise: a step that came
/// out low or high moves the line a little and bends nothing.
package struct CalibratedCurve: Sendable, Hashable {
    /// Utilisation from 0 to 1, watts.
    package let line: PiecewiseLine

    /// The curve that passes through the point of the lowest utilisation, which is the idle machine, and comes nearest
    /// to the others by the sum of squared *relative* errors: the model is judged by relative errors, and a watt matters
    /// more at 20 W than at 200.
    ///
    /// A concave, never falling line with knots at `u_1 < ... < u_n` is `idle + sum of c_k min(u, u_k)` with all
    /// `c_k >= 0`, so the fit is one of least squares with coefficients that are not negative. Most come out as zero:
    /// those points need no knot.
    /// - Returns: nil with fewer than two points of different utilisation, or one that is no point: utilisation from 0 to
    ///   1, watts finite and more than 0.
    package init?(fitting points: [CalibrationPoint]) {
        guard points.allSatisfy({ (0...1).contains($0.utilisation) && $0.watts > 0 && $0.watts.isFinite }),
            let idle = points.min(by: { $0.utilisation < $1.utilisation })
        else { return nil }
        // A busy CPU more or less moves the utilisation by far more than this; nearer points would be one column twice.
        let loaded = points.filter { $0.utilisation - idle.utilisation > Self.resolution }
        var ends: [Double] = []
        for end in loaded.map({ $0.utilisation - idle.utilisation }).sorted()
        where end - (ends.last ?? 0) > Self.resolution { ends.append(end) }
        // In units of the highest point, so that the system's size does not depend on the machine's.
        let unit = loaded.map(\.watts).max() ?? 1
        let rows = loaded.map { point in
            ends.map { min(point.utilisation - idle.utilisation, $0) * unit / point.watts }
        }
        let targets = loaded.map { ($0.watts - idle.watts) / $0.watts }
        guard !ends.isEmpty else { return nil }
        let slopes = NonNegativeLeastSquares.solve(rows, targets).map { $0 * unit }
        func watts(_ offset: Double) -> Double {
            idle.watts + zip(ends, slopes).reduce(0) { $0 + $1.1 * min(offset, $1.0) }
        }
        let knots = zip(ends, slopes).filter { $0.1 > 0 }.map {
            PiecewiseLine.Knot(idle.utilisation + $0.0, watts($0.0))
        }
        line = PiecewiseLine([.init(idle.utilisation, idle.watts)] + knots)
    }

    static let resolution = 1e-4

    /// Watts at a utilisation from 0 to 1; beyond the measured points their ends hold.
    package func watts(at utilisation: Double) -> Double { line.value(at: utilisation) }

    /// How wrong the curve is between its points: each level but the lowest and the highest is predicted once, by a fit
    /// without it and every second level beside it.
    /// - Returns: nil with fewer than four points; then nothing can be left out.
    package static func heldOutError(_ points: [CalibrationPoint]) -> RelativeErrors? {
        let sorted = points.sorted { $0.utilisation < $1.utilisation }
        guard sorted.count >= 4 else { return nil }
        let inner = 1..<(sorted.count - 1)
        var pairs: [(predicted: Double, measured: Double)] = []
        for parity in 0...1 {
            let left = inner.filter { $0 % 2 == parity }
            guard
                let curve = CalibratedCurve(
                    fitting: sorted.indices.filter { !left.contains($0) }.map { sorted[$0] })
            else { return nil }
            pairs += left.map { (curve.watts(at: sorted[$0].utilisation), sorted[$0].watts) }
        }
        return RelativeErrors(pairs)
    }
}

/// What one step of a calibration measured.
package struct CalibrationPoint: Sendable, Hashable {
    /// Busy CPU time / (CPUs x time), from 0 to 1, as it was measured.
    package var utilisation: Double
    package var watts: Double
    /// Median distance of the step's samples from their median, in watts.
    package var spreadWatts: Double

    package init(utilisation: Double, watts: Double, spreadWatts: Double = 0) {
        self.utilisation = utilisation
        self.watts = watts
        self.spreadWatts = spreadWatts
    }
}
