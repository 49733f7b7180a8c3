/// What ``gemm(_:_:into:beta:)`` must compute, spelt out: `c[i][j] = sum over k of a[i][k] b[k][j] + beta c[i][j]`,
/// summed in double precision. For tests and the self-test at start.
package func referenceGemm(_ a: MatrixView, _ b: MatrixView, into c: MatrixView, beta: Float = 0) {
    func element(_ m: MatrixView, _ i: Int, _ j: Int) -> Double {
        Double(m.isTransposed ? m.base[j * m.stride + i] : m.base[i * m.stride + j])
    }
    for i in 0..<c.rows {
        for j in 0..<c.columns {
            var sum = beta == 0 ? 0 : Double(beta) * Double(c.base[i * c.stride + j])
            for k in 0..<a.width { sum += element(a, i, k) * element(b, k, j) }
            c.base[i * c.stride + j] = Float(sum)
        }
    }
}
