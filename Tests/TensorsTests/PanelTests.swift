import Testing

@testable import Tensors

@Suite struct PanelTests {
    @Test func packedProductsEqualTheReference() throws {
        var generator = SplitMix64(seed: 6)
        for _ in 0..<200 {
            let (rows, depth, columns) = (1 + generator.below(20), 1 + generator.below(40), 1 + generator.below(70))
            let transposed = generator.below(2) == 1
            let accumulate = generator.below(2) == 1
            let a = try FloatBuffer(count: rows * depth)
            let b = try FloatBuffer(count: depth * columns)
            let c = try FloatBuffer(count: rows * (columns + 3))
            let expected = try FloatBuffer(count: c.count)
            let packed = try FloatBuffer(count: Panels.count(depth: depth, columns: columns))
            for buffer in [a, b, c] { for i in 0..<buffer.count { buffer.base[i] = generator.uniform(-1, 1) } }
            try expected.copy(from: c)
            let right =
                transposed
                ? MatrixView(b.base, rows: columns, columns: depth).transposed
                : MatrixView(b.base, rows: depth, columns: columns)
            let panels = Panels(packed.base, depth: depth, columns: columns)
            panels.pack(right)
            multiply(
                a.base, strideA: depth, rows: rows, panels, into: c.base, strideC: columns + 3, accumulate: accumulate)
            referenceGemm(
                MatrixView(a.base, rows: rows, columns: depth), right,
                into: MatrixView(expected.base, rows: rows, columns: columns, stride: columns + 3),
                beta: accumulate ? 1 : 0)
            for i in 0..<c.count { #expect(abs(c.base[i] - expected.base[i]) < 2e-5) }
        }
    }

    @Test func productsOfFewRowsEqualTheReference() throws {
        var generator = SplitMix64(seed: 9)
        for _ in 0..<100 {
            let (rows, columns, most) = (1 + generator.below(230), 1 + generator.below(70), 1 + generator.below(40))
            let product = FewRowsProduct(depth: most, rows: rows, columns: columns)
            let depth = 1 + generator.below(most)
            let a = try FloatBuffer(count: rows * depth)
            let b = try FloatBuffer(count: depth * columns)
            let c = try FloatBuffer(count: rows * columns + 1)
            let expected = try FloatBuffer(count: c.count)
            let scratch = try FloatBuffer(count: product.scratchCount)
            scratch.base.update(repeating: .nan, count: scratch.count)
            for buffer in [a, b, c] { for i in 0..<buffer.count { buffer.base[i] = generator.uniform(-1, 1) } }
            try expected.copy(from: c)
            product.multiply(a.base, b.base, depth: depth, into: c.base, scratch: scratch.base)
            referenceGemm(
                MatrixView(a.base, rows: depth, columns: rows).transposed,
                MatrixView(b.base, rows: depth, columns: columns),
                into: MatrixView(expected.base, rows: rows, columns: columns), beta: 0)
            for i in 0..<c.count { #expect(abs(c.base[i] - expected.base[i]) < 2e-5) }
        }
    }
}
