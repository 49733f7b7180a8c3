import Tensors

/// What tells one kind of recurrent layer from another: the arithmetic of one step in time. The loop over time, the
/// products with the kernels and their gradients are ``RecurrentPass``'s.
///
/// A step's numbers lie in ``blocks`` blocks of `units` for each row: first the products of input and state with the
/// kernels, then what ``activate(_:)`` makes of them, then, from ``differentiate(_:_:)``, the gradients of the products.
/// The state's product takes the last ``gates`` blocks.
package protocol RecurrentCell: Sendable {
    /// Blocks of `units` columns that each kernel has.
    static var gates: Int { get }
    /// Blocks of a step; one more than ``gates`` where input and state do not simply add up.
    static var blocks: Int { get }
    /// Where the columns of the input's kernel go.
    static var inputBlocks: [GateBlocks] { get }
    /// Where the parts of the bias go.
    static var biasBlocks: [GateBlocks] { get }
    /// Whether there is a second state beside the output.
    static var hasCellState: Bool { get }
    /// The rows of the bias, each of ``gates`` blocks.
    static var biasRows: Int { get }
    /// What each block of the bias starts with.
    static var biasStart: [Float] { get }

    /// From the products, the new state: adds the bias and leaves what backward needs in place of the products.
    static func activate(_ step: CellStep)

    /// Replaces what ``activate(_:)`` left by the gradients of the products, and the gradients of the new state by
    /// those of the state before, as far as they do not run through a product.
    static func differentiate(_ step: CellStep, _ gradient: StateGradient)

    /// One step of one row, spelt out.
    static func reference(_ x: [Double], _ state: ReferenceState, _ weights: RecurrentWeights) -> ReferenceState
}

/// `count` blocks of a kernel's columns, from `kernel` on, that belong to a step's blocks from `gate` on.
package struct GateBlocks: Hashable, Sendable {
    package let kernel: Int
    package let gate: Int
    package let count: Int
}

/// All rows of a shard at one step in time.
package struct CellStep {
    let rows: Int
    let units: Int
    /// `[rows][blocks][units]`
    let gates: FloatPointer
    /// `[biasRows][gates][units]`
    let bias: FloatPointer
    /// The output of the step before and of this one, `[rows][units]`.
    let previous: FloatPointer
    let next: FloatPointer
    /// The cell state before and after, `[rows][units]`, if there is one.
    let previousCell: FloatPointer?
    let nextCell: FloatPointer?
    /// The first row's token at this position, if padding is masked.
    let tokens: FloatPointer?
    /// From one row's token to the next one's.
    let tokenStride: Int

    /// Whether the row's position is no padding, over which the state is carried unchanged.
    func isReal(_ row: Int) -> Bool {
        guard let tokens else { return true }
        return tokens[row * tokenStride] != 0
    }

    /// The state after padding is the state before.
    func carry(_ row: Int) {
        let at = row * units
        (next + at).update(from: previous + at, count: units)
        if let previousCell, let nextCell { (nextCell + at).update(from: previousCell + at, count: units) }
    }
}

/// The gradients of the state, `[rows][units]` each.
package struct StateGradient {
    let output: FloatPointer
    /// Of the cell state, if there is one.
    let cell: FloatPointer?
}

/// The parameters of one direction for ``RecurrentCell/reference(_:_:_:)``, row-major.
package struct RecurrentWeights {
    package var kernel: [Double]
    package var recurrentKernel: [Double]
    package var bias: [Double]

    package init(kernel: [Double], recurrentKernel: [Double], bias: [Double]) {
        self.kernel = kernel
        self.recurrentKernel = recurrentKernel
        self.bias = bias
    }

    /// `x W` and `h U`, each `[gates units]`.
    func products(_ x: [Double], _ h: [Double]) -> (input: [Double], state: [Double]) {
        func product(_ v: [Double], _ matrix: [Double]) -> [Double] {
            let width = matrix.count / v.count
            return (0..<width).map { column in v.indices.reduce(0) { $0 + v[$1] * matrix[$1 * width + column] } }
        }
        return (product(x, kernel), product(h, recurrentKernel))
    }
}

package struct ReferenceState {
    package var output: [Double]
    package var cell: [Double]
}

// MARK: - Parts of vectors

/// A whole vector, or the first `count` lanes of one; which, is known where this is inlined.
@inline(__always)
func load(_ p: FloatPointer, part count: Int) -> Vector { count == lanes ? load(p) : load(p, count: count) }

@inline(__always)
func store(_ p: FloatPointer, _ v: Vector, part count: Int) {
    if count == lanes { store(p, v) } else { store(p, v, count: count) }
}

/// Runs `body(start, count)` over `units` values: whole vectors, then the rest.
@inline(__always)
func forEachVector(_ units: Int, _ body: (Int, Int) -> Void) {
    var j = 0
    while j + lanes <= units {
        body(j, lanes)
        j += lanes
    }
    if j < units { body(j, units - j) }
}

@inline(__always)
func add(_ from: FloatPointer, to sum: FloatPointer, count: Int) {
    forEachVector(count) { j, count in
        store(sum + j, load(sum + j, part: count) + load(from + j, part: count), part: count)
    }
}
