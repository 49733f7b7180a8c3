import Glibc
import TestSupport

extension Seeded {
    mutating func uniform(_ range: ClosedRange<Double>) -> Double { Double.random(in: range, using: &self) }

    /// Between the ends so that each factor is as likely as any other: a tenth as much comes as often as ten times.
    mutating func logUniform(_ range: ClosedRange<Double>) -> Double {
        exp(uniform(log(range.lowerBound)...log(range.upperBound)))
    }

    /// Mean 0, standard deviation 1 (Box and Muller 1958).
    mutating func normal() -> Double {
        sqrt(-2 * log(uniform(.leastNonzeroMagnitude...1))) * cos(2 * .pi * uniform(0...1))
    }

    /// A factor whose logarithm has the standard deviation `sigma` and median 1.
    mutating func logNormal(_ sigma: Double) -> Double { exp(sigma * normal()) }
}

/// A value that wanders about zero and is drawn back to it (Ornstein and Uhlenbeck 1930).
struct Wander {
    /// Its standard deviation in the long run.
    let deviation: Double
    /// The time in which it forgets where it was, in seconds.
    let seconds: Double
    private(set) var value: Double

    init(deviation: Double, seconds: Double, using random: inout Seeded) {
        self.deviation = deviation
        self.seconds = seconds
        value = deviation * random.normal()
    }

    mutating func advance(_ step: Double, using random: inout Seeded) {
        let kept = exp(-step / seconds)
        value = value * kept + deviation * sqrt(1 - kept * kept) * random.normal()
    }
}
