/// Rises linearly to 1 over `warmupSteps`, then stays.
package struct LinearWarmup: Schedule {
    package let name = "linear-warmup"
    package var warmupSteps: Int

    package init(warmupSteps: Int) {
        self.warmupSteps = warmupSteps
    }

    package func factor(step: Int) -> Float { step < warmupSteps ? Float(step) / Float(warmupSteps) : 1 }
}

/// Rises linearly over `warmupSteps`, then falls with the root of the steps:
/// `min(n^-1/2, n w^-3/2) w^1/2`, which is 1 at `n = w`. Vaswani et al., "Attention is all you need", 2017, section 5.3;
/// their rate is this factor times `(d_model w)^-1/2`.
package struct InverseSquareRoot: Schedule {
    package let name = "inverse-square-root"
    package var warmupSteps: Int

    package init(warmupSteps: Int) {
        self.warmupSteps = warmupSteps
    }

    package func factor(step: Int) -> Float {
        let (n, w) = (Double(max(step, 1)), Double(max(warmupSteps, 1)))
        return Float(min(n / w, (w / n).squareRoot()))
    }
}
