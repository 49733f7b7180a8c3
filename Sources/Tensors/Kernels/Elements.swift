// Loops over elements, a vector at a time. They inline with the function they are given, so that nothing is called in
// them.

/// `y = f(a)`, or `y += f(a)`, for each of `count` elements. `y` may be `a`.
@inlinable @inline(__always)
package func map(
    _ count: Int, _ a: UnsafePointer<Float>, into y: FloatPointer, accumulate: Bool = false, _ f: (Vector) -> Vector
) {
    let whole = count - count % lanes
    var i = 0
    if accumulate {
        while i < whole {
            store(y + i, load(y + i) + f(load(a + i)))
            i += lanes
        }
    } else {
        while i < whole {
            store(y + i, f(load(a + i)))
            i += lanes
        }
    }
    if i < count {
        let rest = count - i
        let v = f(load(a + i, count: rest))
        store(y + i, accumulate ? load(y + i, count: rest) + v : v, count: rest)
    }
}

/// `y = f(a, b)`, or `y += f(a, b)`, for each of `count` elements. `y` may be `a` or `b`.
@inlinable @inline(__always)
package func map(
    _ count: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into y: FloatPointer, accumulate: Bool = false,
    _ f: (Vector, Vector) -> Vector
) {
    let whole = count - count % lanes
    var i = 0
    if accumulate {
        while i < whole {
            store(y + i, load(y + i) + f(load(a + i), load(b + i)))
            i += lanes
        }
    } else {
        while i < whole {
            store(y + i, f(load(a + i), load(b + i)))
            i += lanes
        }
    }
    if i < count {
        let rest = count - i
        let v = f(load(a + i, count: rest), load(b + i, count: rest))
        store(y + i, accumulate ? load(y + i, count: rest) + v : v, count: rest)
    }
}

/// `y = x`, or `y += x`.
package func copy(_ count: Int, _ x: UnsafePointer<Float>, into y: FloatPointer, accumulate: Bool) {
    if accumulate { map(count, x, into: y, accumulate: true) { $0 } } else { y.update(from: x, count: count) }
}

/// The sum of the rows of `x [rows][columns]`: the gradient of a bias. Four rows at a time, to spare the memory of the
/// sum.
package func sumRows(_ x: UnsafePointer<Float>, rows: Int, columns: Int, into sum: FloatPointer) {
    sum.update(repeating: 0, count: columns)
    var row = 0
    while row + 4 <= rows {
        let p = x + row * columns
        let (q, r, s) = (p + columns, p + 2 * columns, p + 3 * columns)
        var j = 0
        while j + lanes <= columns {
            store(sum + j, load(sum + j) + ((load(p + j) + load(q + j)) + (load(r + j) + load(s + j))))
            j += lanes
        }
        while j < columns {
            sum[j] += (p[j] + q[j]) + (r[j] + s[j])
            j += 1
        }
        row += 4
    }
    while row < rows {
        let p = x + row * columns
        map(columns, p, into: sum, accumulate: true) { $0 }
        row += 1
    }
}
