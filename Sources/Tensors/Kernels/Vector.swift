// Public, since inlinable code names its types; all of this is for the package alone all the same.
public import CKernels

/// Floats that the processor works on at once: 16 with AVX-512, 8 with AVX2, else 4. What one build computes, another
/// may round differently; within a build nothing depends on the machine.
@usableFromInline package typealias Vector = mld_vector

@inlinable package var lanes: Int { @inline(__always) get { mld_lanes } }

@inlinable @inline(__always)
package func load(_ p: UnsafePointer<Float>) -> Vector { UnsafeRawPointer(p).loadUnaligned(as: Vector.self) }

@inlinable @inline(__always)
package func store(_ p: FloatPointer, _ v: Vector) {
    UnsafeMutableRawPointer(p).storeBytes(of: v, as: Vector.self)
}

/// The first `count` lanes from memory, zero in the others.
@inlinable
package func load(_ p: UnsafePointer<Float>, count: Int) -> Vector {
    var v = Vector(repeating: 0)
    for i in 0..<count { v[i] = p[i] }
    return v
}

/// The first `count` lanes to memory.
@inlinable
package func store(_ p: FloatPointer, _ v: Vector, count: Int) {
    for i in 0..<count { p[i] = v[i] }
}

/// The vector at `i` of `count` values, of which it may be the last, shorter one.
@inlinable @inline(__always)
package func load(_ p: UnsafePointer<Float>, at i: Int, of count: Int) -> Vector {
    i + lanes <= count ? load(p + i) : load(p + i, count: count - i)
}

/// Writes the vector at `i` of `count` values, of which it may be the last, shorter one.
@inlinable @inline(__always)
package func store(_ p: FloatPointer, at i: Int, of count: Int, _ v: Vector) {
    if i + lanes <= count { store(p + i, v) } else { store(p + i, v, count: count - i) }
}

/// The sum of all lanes, pairwise.
@inlinable @inline(__always)
package func laneSum(_ v: Vector) -> Float { mld_sum(v) }
