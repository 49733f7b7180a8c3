import CKernels
import COpenBLAS

/// The linear algebra library: which of its kernels run, and whether they compute rightly.
package enum OpenBLAS {
    /// The kernels in use, such as `SkylakeX`.
    package static var coreName: String { String(cString: openblas_get_corename()) }

    /// The kernels for this processor, or nil to leave the choice to the library.
    ///
    /// Debian 12's OpenBLAS 0.3.21 does not know processors newer than itself and takes them for a `Prescott` of 2004,
    /// at a fifth of the speed; what decides is the instruction sets, which the processor itself tells.
    package static var preferredCoreType: String? { coreType(features: Int(mld_cpu_features())) }

    static func coreType(features: Int) -> String? {
        if features & mld_cpu_avx512 != 0 { return "SkylakeX" }
        if features & mld_cpu_avx2_fma != 0 { return "Haswell" }
        return nil
    }

    /// What must be in the environment when the library loads, for it reads these once, in its constructor. A core type
    /// that is already there stays.
    ///
    /// Always one thread per call: the trainer's own threads each work on a shard of the batch, and results must not depend on
    /// how many there are.
    package static func missingSettings(in environment: [String: String]) -> [(name: String, value: String)] {
        missingSettings(in: environment, coreType: preferredCoreType)
    }

    static func missingSettings(
        in environment: [String: String], coreType: String?
    ) -> [(name: String, value: String)] {
        var settings: [(name: String, value: String)] = []
        if let coreType, environment["OPENBLAS_CORETYPE"] == nil { settings.append(("OPENBLAS_CORETYPE", coreType)) }
        if environment["OPENBLAS_NUM_THREADS"] != "1" { settings.append(("OPENBLAS_NUM_THREADS", "1")) }
        return settings
    }

    /// Multiplies matrices of sizes around the borders of the library's kernels, each way of transposing, and compares
    /// with ``referenceGemm(_:_:into:beta:)``.
    ///
    /// - Throws: `self-test` with the case that failed: training with it would compute nonsense, quietly.
    package static func selfTest() throws(TensorError) {
        // Whatever the environment says, a call uses one thread.
        openblas_set_num_threads(1)
        let sizes = [(1, 1, 1), (3, 5, 7), (16, 16, 16), (17, 33, 31), (64, 48, 97), (130, 40, 101)]
        for (rows, columns, depth) in sizes {
            for transposition in 0..<4 {
                try check(
                    rows, columns, depth, transposeA: transposition & 1 != 0, transposeB: transposition & 2 != 0,
                    multiply: gemm)
            }
        }
    }

    typealias Multiply = (MatrixView, MatrixView, MatrixView, Float) throws(TensorError) -> Void

    static func check(
        _ rows: Int, _ columns: Int, _ depth: Int, transposeA: Bool, transposeB: Bool, multiply: Multiply
    ) throws(TensorError) {
        let a = try FloatBuffer(count: rows * depth)
        let b = try FloatBuffer(count: depth * columns)
        let result = try FloatBuffer(count: rows * columns)
        let expected = try FloatBuffer(count: rows * columns)
        var generator = SplitMix64(seed: UInt64(rows * 1_000_000 + columns * 1000 + depth))
        for buffer in [a, b, result] {
            for i in 0..<buffer.count { buffer.base[i] = generator.uniform(-1, 1) }
        }
        try expected.copy(from: result)
        let left =
            transposeA
            ? MatrixView(a.base, rows: depth, columns: rows).transposed : MatrixView(a.base, rows: rows, columns: depth)
        let right =
            transposeB
            ? MatrixView(b.base, rows: columns, columns: depth).transposed
            : MatrixView(b.base, rows: depth, columns: columns)
        try multiply(left, right, MatrixView(result.base, rows: rows, columns: columns), 1)
        referenceGemm(left, right, into: MatrixView(expected.base, rows: rows, columns: columns), beta: 1)
        // Rounding grows at worst with the number of additions; a wrong kernel is off by far more.
        let tolerance = Float(depth + 1) * 2e-7
        for i in 0..<result.count where !(abs(result.base[i] - expected.base[i]) <= tolerance) {
            throw TensorError(
                .selfTest,
                "OpenBLAS (\(coreName) kernels) multiplies wrongly: element \(i) of a \(rows)x\(depth) by "
                    + "\(depth)x\(columns) product is \(result.base[i]), not \(expected.base[i])")
        }
    }
}
