/// A line of straight pieces through knots; beyond them the ends hold.
package struct PiecewiseLine: Sendable, Hashable {
    package struct Knot: Sendable, Hashable {
        package var x: Double
        package var y: Double

        package init(_ x: Double, _ y: Double) {
            self.x = x
            self.y = y
        }
    }

    /// By rising x.
    package let knots: [Knot]

    package init(_ knots: [Knot]) {
        self.knots = knots.sorted { $0.x < $1.x }
    }

    /// NaN is taken as the first knot's x; a line without knots is 0.
    package func value(at x: Double) -> Double {
        guard let first = knots.first, let last = knots.last else { return 0 }
        guard x > first.x else { return first.y }
        for (left, right) in zip(knots, knots.dropFirst()) where x < right.x {
            return left.y + (right.y - left.y) * (x - left.x) / (right.x - left.x)
        }
        return last.y
    }
}
