import COpenBLAS

/// A row-major matrix somewhere in a buffer, perhaps read transposed.
package struct MatrixView {
    package let base: FloatPointer
    /// As stored.
    package let rows: Int
    package let columns: Int
    /// Floats from one row to the next.
    package let stride: Int
    package let isTransposed: Bool

    /// - Parameter stride: `columns` unless given.
    package init(_ base: FloatPointer, rows: Int, columns: Int, stride: Int? = nil, isTransposed: Bool = false) {
        self.base = base
        self.rows = rows
        self.columns = columns
        self.stride = stride ?? columns
        self.isTransposed = isTransposed
    }

    /// The same memory read the other way.
    package var transposed: MatrixView {
        MatrixView(base, rows: rows, columns: columns, stride: stride, isTransposed: !isTransposed)
    }

    package var height: Int { isTransposed ? columns : rows }
    package var width: Int { isTransposed ? rows : columns }

    var isSound: Bool {
        rows >= 0 && columns >= 0 && stride >= max(columns, 1) && rows <= Int(Int32.max)
            && stride <= Int(Int32.max)
    }
}

/// `c = a b + beta c`, through OpenBLAS.
///
/// cblas answers a stride below the row length with a line on standard error and no result at all; here everything is
/// checked first, in release builds too.
/// - Throws: `shape`, naming the operands.
package func gemm(
    _ a: MatrixView, _ b: MatrixView, into c: MatrixView, beta: Float = 0
) throws(TensorError) {
    guard a.isSound, b.isSound, c.isSound, !c.isTransposed, a.height == c.rows, b.width == c.columns,
        a.width == b.height
    else { throw mismatch(a, b, c) }
    if c.rows == 0 || c.columns == 0 { return }
    cblas_sgemm(
        CblasRowMajor, a.isTransposed ? CblasTrans : CblasNoTrans, b.isTransposed ? CblasTrans : CblasNoTrans,
        Int32(c.rows), Int32(c.columns), Int32(a.width), 1, a.base, Int32(a.stride), b.base, Int32(b.stride), beta,
        c.base, Int32(c.stride))
}

/// `c = a b + bias`, the bias being added to each row: it stands in `c` before the product, which spares a pass to add it
/// and the zeroing of `c`.
/// - Throws: as ``gemm(_:_:into:beta:)``.
package func gemm(
    _ a: MatrixView, _ b: MatrixView, bias: FloatPointer?, into c: MatrixView
) throws(TensorError) {
    guard let bias else { return try gemm(a, b, into: c) }
    guard c.isSound, !c.isTransposed else { throw mismatch(a, b, c) }
    for row in 0..<c.rows { (c.base + row * c.stride).update(from: bias, count: c.columns) }
    try gemm(a, b, into: c, beta: 1)
}

@inline(never)
private func mismatch(_ a: MatrixView, _ b: MatrixView, _ c: MatrixView) -> TensorError {
    func text(_ m: MatrixView) -> String { "\(m.height)x\(m.width) (stride \(m.stride))" }
    return TensorError(.shape, "cannot multiply \(text(a)) by \(text(b)) into \(text(c))")
}
