import Glibc

// In all of them the first step is 1, and a decay starts from the full rate, as in Keras, which counts from 0.

/// Half a cosine from 1 down to `alpha` over `decaySteps`, then `alpha`, after a linear warm-up: Loshchilov and Hutter,
/// "SGDR: stochastic gradient descent with warm restarts", 2017, without the restarts.
package struct CosineDecay: Schedule {
    package let name = "cosine-decay"
    package var decaySteps: Int
    package var alpha: Float
    package var warmupSteps: Int

    package init(decaySteps: Int, alpha: Float = 0, warmupSteps: Int = 0) {
        self.decaySteps = decaySteps
        self.alpha = alpha
        self.warmupSteps = warmupSteps
    }

    package func factor(step: Int) -> Float {
        if step <= warmupSteps { return Float(step) / Float(warmupSteps) }
        let part = min(Double(step - 1 - warmupSteps) / Double(max(decaySteps, 1)), 1)
        return (1 - alpha) * Float(0.5 * (1 + cos(Double.pi * part))) + alpha
    }
}

/// `decayRate ^ (n / decaySteps)` after n steps; as a staircase, with the quotient rounded down.
package struct ExponentialDecay: Schedule {
    package let name = "exponential-decay"
    package var decaySteps: Int
    package var decayRate: Float
    package var isStaircase: Bool

    package init(decaySteps: Int, decayRate: Float, isStaircase: Bool = false) {
        self.decaySteps = decaySteps
        self.decayRate = decayRate
        self.isStaircase = isStaircase
    }

    package func factor(step: Int) -> Float {
        let quotient = Double(step - 1) / Double(max(decaySteps, 1))
        return Float(pow(Double(decayRate), isStaircase ? quotient.rounded(.down) : quotient))
    }
}

/// One factor up to each boundary, and one more behind the last: `values[i]` while no more than `boundaries[i]` steps
/// have been taken.
package struct PiecewiseConstant: Schedule {
    package let name = "piecewise-constant"
    package var boundaries: [Int]
    package var values: [Float]

    /// - Parameters:
    ///   - boundaries: ascending.
    ///   - values: one more than boundaries.
    package init(boundaries: [Int], values: [Float]) {
        self.boundaries = boundaries
        self.values = values
    }

    package func factor(step: Int) -> Float {
        var index = 0
        while index < boundaries.count, step - 1 > boundaries[index] { index += 1 }
        return index < values.count ? values[index] : 1
    }
}
