import Glibc
import Learning
import Testing

@Suite struct ScheduleTests {
    private func expect(_ schedule: any Schedule, _ values: [(step: Int, factor: Double)]) {
        for (step, factor) in values {
            #expect(abs(Double(schedule.factor(step: step)) - factor) < 1e-6, "\(schedule.name) at \(step)")
        }
    }

    /// `keras.optimizers.schedules.CosineDecay(1.0, 10, alpha=0.1)(step - 1)`
    @Test func cosine() {
        expect(
            CosineDecay(decaySteps: 10, alpha: 0.1),
            [(1, 1), (2, 0.97797543), (6, 0.55), (10, 0.12202458), (11, 0.1), (99, 0.1)])
        expect(CosineDecay(decaySteps: 4, warmupSteps: 4), [(1, 0.25), (4, 1), (5, 1), (7, 0.5), (9, 0), (50, 0)])
    }

    @Test func exponential() {
        expect(ExponentialDecay(decaySteps: 2, decayRate: 0.25), [(1, 1), (2, 0.5), (3, 0.25), (5, 0.0625)])
        expect(
            ExponentialDecay(decaySteps: 2, decayRate: 0.5, isStaircase: true), [(1, 1), (2, 1), (3, 0.5), (4, 0.5)])
    }

    @Test func piecewise() {
        expect(
            PiecewiseConstant(boundaries: [2, 5], values: [1, 0.1, 0.01]),
            [(1, 1), (3, 1), (4, 0.1), (6, 0.1), (7, 0.01), (1000, 0.01)])
    }

    @Test func warmups() {
        expect(LinearWarmup(warmupSteps: 4), [(1, 0.25), (3, 0.75), (4, 1), (5, 1)])
        expect(LinearWarmup(warmupSteps: 0), [(1, 1)])
        let transformer = InverseSquareRoot(warmupSteps: 16)
        for n in 1...100 {
            let factor = min(pow(Double(n), -0.5), Double(n) * pow(16, -1.5)) * 4
            expect(transformer, [(n, factor)])
        }
        expect(transformer, [(16, 1), (64, 0.5)])
    }
}
