import Glibc
import Learning
import Tensors
import Testing

@Suite struct OptimizerTests {
    /// Runs 20 steps on odd counts beside a scalar double-precision reference.
    private func compare(
        _ optimizer: any Optimizer,
        reference: (_ step: Int, _ g: Double, _ w: inout Double, _ s: inout [Double]) -> Void
    ) throws {
        let count = 37
        let stride = 48
        let weights = try FloatBuffer(count: count)
        let gradients = try FloatBuffer(count: count)
        let moments = try FloatBuffer(count: stride * optimizer.momentCount)
        var generator = SplitMix64(seed: 8)
        for i in 0..<count { weights.base[i] = generator.uniform(-1, 1) }
        var expected = weights.values.map(Double.init)
        var state = [[Double]](repeating: [0, 0], count: count)
        for step in 1...20 {
            for i in 0..<count {
                gradients.base[i] = generator.uniform(-1, 1)
                reference(step, Double(gradients.base[i]), &expected[i], &state[i])
            }
            optimizer.update(
                weights.base, gradients.base, moments: moments.base, momentStride: stride, count: count, step: step,
                factor: 1)
        }
        for i in 0..<count { #expect(abs(Double(weights.base[i]) - expected[i]) < 1e-5) }
    }

    @Test func adamAsInThePaper() throws {
        try compare(Adam(learningRate: 0.01)) { step, g, w, s in
            s[0] = 0.9 * s[0] + 0.1 * g
            s[1] = 0.999 * s[1] + 0.001 * g * g
            let m = s[0] / (1 - pow(0.9, Double(step)))
            let v = s[1] / (1 - pow(0.999, Double(step)))
            w -= 0.01 * m / (v.squareRoot() + 1e-7)
        }
    }

    @Test func adamWDecaysTheWeightsApart() throws {
        try compare(AdamW(learningRate: 0.01, weightDecay: 0.3)) { step, g, w, s in
            w -= 0.01 * 0.3 * w
            s[0] = 0.9 * s[0] + 0.1 * g
            s[1] = 0.999 * s[1] + 0.001 * g * g
            let m = s[0] / (1 - pow(0.9, Double(step)))
            let v = s[1] / (1 - pow(0.999, Double(step)))
            w -= 0.01 * m / (v.squareRoot() + 1e-7)
        }
        #expect(AdamW().adam.weightDecay == 0.004 && Adam().weightDecay == 0)
    }

    @Test func rmsprop() throws {
        try compare(RMSprop(learningRate: 0.01, weightDecay: 0.1)) { _, g, w, s in
            w -= 0.01 * 0.1 * w
            s[0] = 0.9 * s[0] + 0.1 * g * g
            w -= 0.01 * g / (s[0] + 1e-7).squareRoot()
        }
        try compare(RMSprop(learningRate: 0.01, rho: 0.8, momentum: 0.5)) { _, g, w, s in
            s[0] = 0.8 * s[0] + 0.2 * g * g
            s[1] = 0.5 * s[1] + 0.01 * g / (s[0] + 1e-7).squareRoot()
            w -= s[1]
        }
    }

    @Test func notANumberStaysOne() throws {
        for optimizer: any Optimizer in [
            Adam(), AdamW(), RMSprop(), RMSprop(momentum: 0.9), SGD(), SGD(momentum: 0.9),
            SGD(momentum: 0.9, isNesterov: true),
        ] {
            for at in [3, 18] {
                let buffers = try (0..<2).map { _ in try FloatBuffer(count: 19) }
                buffers[1].base[at] = .nan
                let moments = try FloatBuffer(count: 64)
                optimizer.update(
                    buffers[0].base, buffers[1].base, moments: moments.base, momentStride: 32, count: 19, step: 1,
                    factor: 1)
                #expect(buffers[0].values.indices.filter { !buffers[0].values[$0].isFinite } == [at])
            }
        }
    }

    @Test func plainDescent() throws {
        try compare(SGD(learningRate: 0.1)) { _, g, w, _ in w -= 0.1 * g }
    }

    @Test func momentum() throws {
        try compare(SGD(learningRate: 0.1, momentum: 0.9)) { _, g, w, s in
            s[0] = 0.9 * s[0] - 0.1 * g
            w += s[0]
        }
    }

    @Test func decay() throws {
        try compare(SGD(learningRate: 0.1, weightDecay: 0.5)) { _, g, w, _ in w = w - 0.1 * 0.5 * w - 0.1 * g }
        try compare(SGD(learningRate: 0.1, momentum: 0.9, weightDecay: 0.5)) { _, g, w, s in
            s[0] = 0.9 * s[0] - 0.1 * g
            w = w - 0.1 * 0.5 * w + s[0]
        }
    }

    @Test func nesterov() throws {
        try compare(SGD(learningRate: 0.1, momentum: 0.9, isNesterov: true)) { _, g, w, s in
            s[0] = 0.9 * s[0] - 0.1 * g
            w += 0.9 * s[0] - 0.1 * g
        }
    }
}
