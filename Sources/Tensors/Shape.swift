/// The extent of an array along each axis, outermost first, without the batch axis.
package struct Shape: Hashable, Sendable, CustomStringConvertible {
    package let dimensions: [Int]
    /// The number of elements: the product of the dimensions, 1 for a scalar.
    package let count: Int

    /// More elements than any machine here holds; guards the products that sizes are computed from.
    package static let maximumCount = 1 << 40

    /// - Throws: `shape` if a dimension is not positive or the product is beyond ``maximumCount``.
    package init(_ dimensions: [Int]) throws(TensorError) {
        var count = 1
        for dimension in dimensions {
            let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
            guard dimension > 0, !overflow, product <= Shape.maximumCount else {
                throw TensorError(.shape, "no array can have the shape \(Shape.text(dimensions))")
            }
            count = product
        }
        self.dimensions = dimensions
        self.count = count
    }

    package var rank: Int { dimensions.count }

    /// The innermost dimension: the features a dense layer works on; 1 for a scalar.
    package var last: Int { dimensions.last ?? 1 }

    /// The number of vectors of length ``last``.
    package var leading: Int { count / last }

    /// All elements along one axis.
    package var flattened: Shape { Shape(unchecked: [count], count: count) }

    /// The same but for the innermost dimension.
    package func replacingLast(with size: Int) throws(TensorError) -> Shape {
        try Shape(dimensions.dropLast() + [size])
    }

    package var description: String { Shape.text(dimensions) }

    private init(unchecked dimensions: [Int], count: Int) {
        self.dimensions = dimensions
        self.count = count
    }

    private static func text(_ dimensions: [Int]) -> String {
        dimensions.isEmpty ? "scalar" : dimensions.map(String.init).joined(separator: "x")
    }
}
