import Testing

@testable import Tensors

@Suite struct GemmTests {
    private func random(_ count: Int, _ generator: inout SplitMix64) throws -> FloatBuffer {
        let buffer = try FloatBuffer(count: count)
        for i in 0..<count { buffer.base[i] = generator.uniform(-1, 1) }
        return buffer
    }

    @Test func equalsTheReferenceForAnySizeStrideAndTransposition() throws {
        var generator = SplitMix64(seed: 7)
        for round in 0..<200 {
            let (m, n, k) = (1 + generator.below(40), 1 + generator.below(40), 1 + generator.below(60))
            let (transposeA, transposeB) = (round & 1 != 0, round & 2 != 0)
            func view(_ height: Int, _ width: Int, _ isTransposed: Bool) throws -> (FloatBuffer, MatrixView) {
                let (rows, columns) = isTransposed ? (width, height) : (height, width)
                let stride = columns + generator.below(5)
                let buffer = try random(rows * stride, &generator)
                return (
                    buffer,
                    MatrixView(
                        buffer.base, rows: rows, columns: columns, stride: stride, isTransposed: isTransposed)
                )
            }
            let (aBuffer, a) = try view(m, k, transposeA)
            let (bBuffer, b) = try view(k, n, transposeB)
            let (cBuffer, c) = try view(m, n, false)
            let expected = try FloatBuffer(count: cBuffer.count)
            try expected.copy(from: cBuffer)
            let beta: Float = round % 3 == 0 ? 0 : 1
            try gemm(a, b, into: c, beta: beta)
            referenceGemm(
                a, b, into: MatrixView(expected.base, rows: m, columns: n, stride: c.stride), beta: beta)
            for i in 0..<cBuffer.count {
                #expect(abs(cBuffer.base[i] - expected.base[i]) < Float(k + 1) * 2e-7, "\(m)x\(k)x\(n) at \(i)")
            }
            withExtendedLifetime((aBuffer, bBuffer)) {}
        }
    }

    @Test func addsABiasToEachRow() throws {
        var generator = SplitMix64(seed: 8)
        for _ in 0..<50 {
            let (m, n, k) = (1 + generator.below(20), 1 + generator.below(40), 1 + generator.below(30))
            let (a, b) = (try random(m * k, &generator), try random(k * n, &generator))
            let (bias, c) = (try random(n, &generator), try random(m * n, &generator))
            let expected = try FloatBuffer(count: m * n)
            for i in 0..<(m * n) { expected.base[i] = bias.base[i % n] }
            let (left, right) = (
                MatrixView(a.base, rows: m, columns: k), MatrixView(b.base, rows: k, columns: n)
            )
            try gemm(left, right, bias: bias.base, into: MatrixView(c.base, rows: m, columns: n))
            referenceGemm(left, right, into: MatrixView(expected.base, rows: m, columns: n), beta: 1)
            for i in 0..<(m * n) { #expect(abs(c.base[i] - expected.base[i]) < Float(k + 2) * 2e-7) }
            withExtendedLifetime((a, b, bias)) {}
        }
    }

    @Test func refusesWhatCBLASWouldSilentlyNotCompute() throws {
        let buffer = try FloatBuffer(count: 100)
        let p = buffer.base
        let good = MatrixView(p, rows: 4, columns: 4)
        // lda < K, ldb < N, ldc < N.
        let narrow = MatrixView(p, rows: 4, columns: 4, stride: 3)
        #expect(throws: TensorError.self) { try gemm(narrow, good, into: good) }
        #expect(throws: TensorError.self) { try gemm(good, narrow, into: good) }
        #expect(throws: TensorError.self) { try gemm(good, good, into: narrow) }
        // Shapes that do not fit, a result read transposed, a negative size.
        let other = MatrixView(p, rows: 4, columns: 5)
        #expect(throws: TensorError.self) { try gemm(other, good, into: good) }
        #expect(throws: TensorError.self) { try gemm(good, other, into: good) }
        #expect(throws: TensorError.self) { try gemm(good, good, into: good.transposed) }
        #expect(throws: TensorError.self) {
            try gemm(MatrixView(p, rows: -1, columns: 4), good, into: MatrixView(p, rows: -1, columns: 4))
        }
        let error = #expect(throws: TensorError.self) { try gemm(narrow, good, into: good) }
        #expect(error?.message.contains("stride 3") == true)
    }

    @Test func emptyProductsAreZero() throws {
        let buffer = try FloatBuffer(count: 16)
        buffer.base.update(repeating: 5, count: 16)
        let c = MatrixView(buffer.base, rows: 4, columns: 4)
        try gemm(
            MatrixView(buffer.base, rows: 4, columns: 0, stride: 1), MatrixView(buffer.base, rows: 0, columns: 4),
            into: c)
        #expect(buffer.values == [Float](repeating: 0, count: 16))
    }

    @Test func selfTestPassesHereAndCatchesAWrongKernel() throws {
        try OpenBLAS.selfTest()
        let error = #expect(throws: TensorError.self) {
            try OpenBLAS.check(17, 33, 31, transposeA: false, transposeB: true) { a, b, c, beta throws(TensorError) in
                try gemm(a, b, into: c, beta: beta)
                c.base[32 * 7] += 1e-3
            }
        }
        #expect(error?.code == .selfTest)
        // A kernel that computes nothing, as a wrong stride does.
        #expect(throws: TensorError.self) {
            try OpenBLAS.check(3, 5, 7, transposeA: false, transposeB: false) { _, _, _, _ throws(TensorError) in }
        }
        // NaN compares as nothing.
        #expect(throws: TensorError.self) {
            try OpenBLAS.check(1, 1, 1, transposeA: false, transposeB: false) { _, _, c, _ throws(TensorError) in
                c.base[0] = .nan
            }
        }
    }
}

@Suite struct OpenBLASSettingsTests {
    @Test func coreTypeFollowsTheInstructionSets() {
        #expect(OpenBLAS.coreType(features: 0) == nil)
        #expect(OpenBLAS.coreType(features: 1) == "Haswell")
        #expect(OpenBLAS.coreType(features: 3) == "SkylakeX")
    }

    @Test func aPresetCoreTypeStays() {
        func names(_ environment: [String: String], _ coreType: String?) -> [String] {
            OpenBLAS.missingSettings(in: environment, coreType: coreType).map { "\($0.name)=\($0.value)" }
        }
        #expect(names([:], "Haswell") == ["OPENBLAS_CORETYPE=Haswell", "OPENBLAS_NUM_THREADS=1"])
        #expect(names(["OPENBLAS_CORETYPE": "Zen"], "Haswell") == ["OPENBLAS_NUM_THREADS=1"])
        // Threads of its own would only be in the way, and would outlive the memory there is for them.
        #expect(
            names(["OPENBLAS_CORETYPE": "Zen", "OPENBLAS_NUM_THREADS": "4"], "Haswell") == ["OPENBLAS_NUM_THREADS=1"])
        #expect(names(["OPENBLAS_CORETYPE": "Zen", "OPENBLAS_NUM_THREADS": "1"], "Haswell") == [])
        // Nothing is known to be better: the library chooses, and the program does not start itself for ever.
        #expect(names(["OPENBLAS_NUM_THREADS": "1"], nil) == [])
    }
}
