import Glibc

/// How long a job is expected to run at most, in steps of a fifth: so that jobs of which the same is known stay alike to the
/// planner, and what is learned of them changes their plans now and then, not with every run.
package struct PredictedTime: Hashable, Sendable, Comparable {
    private static let stepsPerDoubling = 4.0
    /// Beyond this, 34 years, it is all the same.
    private static let longest: UInt8 = 120

    /// 2 to the power of a quarter of it, in seconds.
    private let step: UInt8

    /// The first step that is not below; a second for what is shorter.
    package init(atLeast seconds: Double) {
        let steps = (log2(max(1, seconds)) * Self.stepsPerDoubling - 1e-9).rounded(.up)
        step = steps < Double(Self.longest) ? UInt8(max(0, steps)) : Self.longest
    }

    package var seconds: Double { exp2(Double(step) / Self.stepsPerDoubling) }

    package static func < (a: PredictedTime, b: PredictedTime) -> Bool { a.step < b.step }
}
