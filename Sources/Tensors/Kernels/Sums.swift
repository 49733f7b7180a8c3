/// Adds the sum of the rows of `x [rows][columns]` to `sums [columns]`.
package func addRowSums(_ x: FloatPointer, rows: Int, columns: Int, into sums: FloatPointer) {
    var column = 0
    // Four rows at a time: a sum waits for the one before it.
    while column + lanes <= columns {
        var (s0, s1, s2, s3) = (
            load(sums + column), Vector(repeating: 0), Vector(repeating: 0), Vector(repeating: 0)
        )
        var p = x + column
        for _ in 0..<(rows / 4) {
            s0 += load(p)
            s1 += load(p + columns)
            s2 += load(p + 2 * columns)
            s3 += load(p + 3 * columns)
            p += 4 * columns
        }
        for _ in 0..<(rows % 4) {
            s0 += load(p)
            p += columns
        }
        store(sums + column, (s0 + s1) + (s2 + s3))
        column += lanes
    }
    while column < columns {
        var sum = sums[column]
        for row in 0..<rows { sum += x[row * columns + column] }
        sums[column] = sum
        column += 1
    }
}
