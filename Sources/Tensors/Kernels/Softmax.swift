import CKernels

/// `y = exp(x - max x) / sum(exp(x - max x))` over each row of `[rows][columns]`; `y` may be `x`. A NaN makes its row NaN.
package func softmax(_ x: UnsafePointer<Float>, rows: Int, columns: Int, into y: FloatPointer) {
    for row in 0..<rows {
        let from = x + row * columns
        let to = y + row * columns
        let largest = Vector(repeating: largest(from, columns))
        var sum = Vector(repeating: 0)
        var rest: Float = 0
        var j = 0
        while j + lanes <= columns {
            let power = mld_exp(load(from + j) - largest)
            sum += power
            store(to + j, power)
            j += lanes
        }
        if j < columns {
            let power = mld_exp(load(from + j, count: columns - j) - largest)
            store(to + j, power, count: columns - j)
            for i in j..<columns { rest += to[i] }
        }
        let factor = Vector(repeating: 1 / (laneSum(sum) + rest))
        map(columns, to, into: to) { $0 * factor }
    }
}

/// `dx = y (dy - sum(dy y))`: from the gradient of a softmax's output that of its argument, in place.
package func differentiateSoftmax(_ y: UnsafePointer<Float>, rows: Int, columns: Int, _ gradient: FloatPointer) {
    for row in 0..<rows {
        let p = y + row * columns
        let d = gradient + row * columns
        var sum = Vector(repeating: 0)
        var rest: Float = 0
        var j = 0
        while j + lanes <= columns {
            sum = mld_fma(load(p + j), load(d + j), sum)
            j += lanes
        }
        while j < columns {
            rest += p[j] * d[j]
            j += 1
        }
        let dot = Vector(repeating: laneSum(sum) + rest)
        map(columns, p, d, into: d) { $0 * ($1 - dot) }
    }
}

/// Of the numbers among `count` values (at least one) the largest; values that are not numbers do not count unless all
/// are.
package func largest(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
    var largest = x[0]
    var j = 0
    if count >= lanes {
        var vector = load(x)
        j = lanes
        while j + lanes <= count {
            vector = mld_max(vector, load(x + j))
            j += lanes
        }
        largest = mld_largest(vector)
    }
    while j < count {
        if x[j] > largest { largest = x[j] }
        j += 1
    }
    return largest
}
