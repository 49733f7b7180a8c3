@usableFromInline package typealias FloatPointer = UnsafeMutablePointer<Float>

/// A flat array of floats that starts on a cache line (64 bytes) and never moves or grows.
///
/// `@unchecked Sendable`: threads write it at once, each the part that its shard or its range owns; the pool's barriers
/// order those writes before the reads of others.
package final class FloatBuffer: @unchecked Sendable {
    /// Floats in a cache line. Every part of a buffer that is addressed on its own starts at a multiple of this.
    package static let alignment = 16

    package let count: Int
    package let base: FloatPointer

    /// Zeroes.
    /// - Throws: `memory` if `count` is negative or cannot be addressed.
    package init(count: Int) throws(TensorError) {
        guard count >= 0, count <= Shape.maximumCount else {
            throw TensorError(.memory, "no buffer can hold \(count) floats")
        }
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: max(FloatBuffer.aligned(count), FloatBuffer.alignment) * MemoryLayout<Float>.stride,
            alignment: FloatBuffer.alignment * MemoryLayout<Float>.stride)
        self.count = count
        base = raw.initializeMemory(as: Float.self, repeating: 0, count: FloatBuffer.aligned(count))
    }

    deinit {
        UnsafeMutableRawPointer(base).deallocate()
    }

    /// `count` rounded up to whole cache lines.
    package static func aligned(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }

    /// A copy, for tests and for writing files.
    package var values: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }

    /// - Throws: `shape` if the sizes differ.
    package func copy(from other: FloatBuffer) throws(TensorError) {
        guard other.count == count else {
            throw TensorError(.shape, "a buffer of \(count) floats cannot take \(other.count)")
        }
        base.update(from: other.base, count: count)
    }

    /// Both must have one size.
    package func exchange(with other: FloatBuffer) {
        precondition(other.count == count)
        for i in 0..<count { swap(&base[i], &other.base[i]) }
    }
}
