package import Tensors

/// The mean of all positions, every channel for itself: `x [height, width, channels]`, `y [channels]`.
package struct GlobalAveragePooling2D: Layer {
    package static let kind = "global-average-pooling-2d"

    private var options: GlobalPoolingOptions { GlobalPoolingOptions(pooling: .average, axes: 2, kind: kind) }

    package init() {}

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape { try options.outputShape(inputs) }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        try options.bind(inputs, &plan)
    }

    /// The forward pass of one sample, spelt out.
    ///
    /// - Parameter isReal: for each position; nil if all are.
    package func reference(_ x: [Double], channels: Int, isReal: [Bool]? = nil) -> [Double] {
        options.reference(x, channels: channels, isReal: isReal)
    }
}

/// The mean of all positions, every channel for itself: `x [steps, channels]`, `y [channels]`.
/// Masked steps do not count; if all are, the result is 0.
package struct GlobalAveragePooling1D: Layer {
    package static let kind = "global-average-pooling-1d"

    private var options: GlobalPoolingOptions { GlobalPoolingOptions(pooling: .average, axes: 1, kind: kind) }

    package init() {}

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape { try options.outputShape(inputs) }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        try options.bind(inputs, &plan)
    }

    /// The forward pass of one sample, spelt out.
    ///
    /// - Parameter isReal: for each position; nil if all are.
    package func reference(_ x: [Double], channels: Int, isReal: [Bool]? = nil) -> [Double] {
        options.reference(x, channels: channels, isReal: isReal)
    }
}

/// The largest of all positions, every channel for itself: `x [height, width, channels]`, `y [channels]`.
package struct GlobalMaxPooling2D: Layer {
    package static let kind = "global-max-pooling-2d"

    private var options: GlobalPoolingOptions { GlobalPoolingOptions(pooling: .maximum, axes: 2, kind: kind) }

    package init() {}

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape { try options.outputShape(inputs) }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        try options.bind(inputs, &plan)
    }

    /// The forward pass of one sample, spelt out.
    ///
    /// - Parameter isReal: for each position; nil if all are.
    package func reference(_ x: [Double], channels: Int, isReal: [Bool]? = nil) -> [Double] {
        options.reference(x, channels: channels, isReal: isReal)
    }
}

/// The largest of all positions, every channel for itself: `x [steps, channels]`, `y [channels]`.
/// Masked steps do not count; if all are, the result is 0.
package struct GlobalMaxPooling1D: Layer {
    package static let kind = "global-max-pooling-1d"

    private var options: GlobalPoolingOptions { GlobalPoolingOptions(pooling: .maximum, axes: 1, kind: kind) }

    package init() {}

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape { try options.outputShape(inputs) }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        try options.bind(inputs, &plan)
    }

    /// The forward pass of one sample, spelt out.
    ///
    /// - Parameter isReal: for each position; nil if all are.
    package func reference(_ x: [Double], channels: Int, isReal: [Bool]? = nil) -> [Double] {
        options.reference(x, channels: channels, isReal: isReal)
    }
}
