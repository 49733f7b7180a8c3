package import Tensors

/// The mean of each window, every channel for itself: `x [height, width, channels]`, `y [height', width', channels]`.
/// Positions outside the input do not count.
package struct AveragePooling2D: Layer {
    package static let kind = "average-pooling-2d"

    let options: PoolingOptions

    /// - Parameter strides: the window's size unless given.
    package init(poolSize: Extent = Extent(2), strides: Extent? = nil, padding: ConvolutionPadding = .valid) {
        options = PoolingOptions(
            pooling: .average, size: poolSize, strides: strides ?? poolSize, padding: padding)
    }

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        try options.outputShape(inputs, axes: 2, kind: kind)
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        try options.bind(inputs, axes: 2, kind: kind, &plan)
    }

    /// The forward pass of one sample, spelt out.
    package func reference(_ x: [Double], shape: Shape) throws -> [Double] {
        try options.shape([shape], axes: 2, kind: kind).reference(x, options.pooling)
    }
}

/// The mean of each window of steps, every channel for itself: `x [steps, channels]`, `y [steps', channels]`.
/// Positions outside the input do not count.
package struct AveragePooling1D: Layer {
    package static let kind = "average-pooling-1d"

    let options: PoolingOptions

    /// - Parameter strides: the window's size unless given.
    package init(poolSize: Int = 2, strides: Int? = nil, padding: ConvolutionPadding = .valid) {
        options = PoolingOptions(
            pooling: .average, size: Extent(1, poolSize), strides: Extent(1, strides ?? poolSize), padding: padding)
    }

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        try options.outputShape(inputs, axes: 1, kind: kind)
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        try options.bind(inputs, axes: 1, kind: kind, &plan)
    }

    /// The forward pass of one sample, spelt out.
    package func reference(_ x: [Double], shape: Shape) throws -> [Double] {
        try options.shape([shape], axes: 1, kind: kind).reference(x, options.pooling)
    }
}
