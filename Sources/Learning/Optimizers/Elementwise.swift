import Tensors

// The loop that all optimisers share: whole vectors, then the rest. The closures do not escape and inline, so each
// optimiser gets a loop of its own.

/// `w = body(w, g)`
@inline(__always)
func updateEach(_ count: Int, _ w: FloatPointer, _ g: FloatPointer, _ body: (Vector, Vector) -> Vector) {
    var i = 0
    while i + lanes <= count {
        store(w + i, body(load(w + i), load(g + i)))
        i += lanes
    }
    let rest = count - i
    if rest > 0 { store(w + i, body(load(w + i, count: rest), load(g + i, count: rest)), count: rest) }
}

/// `w = body(w, g, &m)`
@inline(__always)
func updateEach(
    _ count: Int, _ w: FloatPointer, _ g: FloatPointer, _ m: FloatPointer,
    _ body: (Vector, Vector, inout Vector) -> Vector
) {
    var i = 0
    while i + lanes <= count {
        var moment = load(m + i)
        store(w + i, body(load(w + i), load(g + i), &moment))
        store(m + i, moment)
        i += lanes
    }
    let rest = count - i
    if rest > 0 {
        var moment = load(m + i, count: rest)
        store(w + i, body(load(w + i, count: rest), load(g + i, count: rest), &moment), count: rest)
        store(m + i, moment, count: rest)
    }
}

/// `w = body(w, g, &m, &v)`
@inline(__always)
func updateEach(
    _ count: Int, _ w: FloatPointer, _ g: FloatPointer, _ m: FloatPointer, _ v: FloatPointer,
    _ body: (Vector, Vector, inout Vector, inout Vector) -> Vector
) {
    var i = 0
    while i + lanes <= count {
        var (first, second) = (load(m + i), load(v + i))
        store(w + i, body(load(w + i), load(g + i), &first, &second))
        store(m + i, first)
        store(v + i, second)
        i += lanes
    }
    let rest = count - i
    if rest > 0 {
        var (first, second) = (load(m + i, count: rest), load(v + i, count: rest))
        store(w + i, body(load(w + i, count: rest), load(g + i, count: rest), &first, &second), count: rest)
        store(m + i, first, count: rest)
        store(v + i, second, count: rest)
    }
}
