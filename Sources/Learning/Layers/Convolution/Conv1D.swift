package import Tensors

/// `y = activation(x * W + b)`, a convolution over the steps of sequences.
///
/// `x [steps, channels]`, `W [kernel size, channels / groups, filters]` (kernel), `b [filters]` (bias), `y [steps',
/// filters]`. With `causal` padding no output sees a later step; dilated, that is the layer of "WaveNet: a generative
/// model for raw audio", van den Oord et al., 2016. A mask is handed on if the number of steps stays.
package struct Conv1D: Layer {
    package static let kind = "conv-1d"

    package var options: ConvolutionOptions

    package init(
        filters: Int, kernelSize: Int, strides: Int = 1, padding: ConvolutionPadding = .valid, dilationRate: Int = 1,
        groups: Int = 1, activation: Activation = .linear, usesBias: Bool = true,
        kernelInitializer: KernelInitializer = .glorotUniform
    ) {
        options = ConvolutionOptions(
            filters: filters, kernelSize: Extent(1, kernelSize), strides: Extent(1, strides), padding: padding,
            dilationRate: Extent(1, dilationRate), groups: groups, activation: activation, usesBias: usesBias,
            kernelInitializer: kernelInitializer)
    }

    package var splitOutputActivation: (layer: any Layer, activation: Activation)? {
        var layer = self
        layer.options = options.linear
        return (layer, options.activation)
    }

    private func convolution(_ inputs: [Shape]) throws(LearningError) -> ConvolutionShape {
        guard inputs.count == 1, inputs[0].rank == 2 else {
            throw LearningError(.model, "a conv-1d layer takes one input of the shape [steps, channels]")
        }
        return try options.shape(height: 1, width: inputs[0].dimensions[0], channels: inputs[0].last)
    }

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        let shape = try convolution(inputs)
        return try learning { () throws(TensorError) in try Shape([shape.width.output, shape.filters]) }
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let shapes = inputs.map(\.tensor.shape)
        let shape = try convolution(shapes)
        let bound = try options.bind(
            inputs[0], shape, output: try outputShape(shapes),
            kernelShape: [options.kernelSize.width, shape.channels / shape.groups, shape.filters], &plan)
        if shape.width.output != shape.width.input { return bound }
        return BoundLayer(output: bound.output.masked(inputs[0].tensor.mask), step: bound.step)
    }

    /// The forward pass of one sequence, spelt out.
    package func reference(_ x: [Double], shape: Shape, kernel: [Double], bias: [Double]?) throws -> [Double] {
        options.activated(try convolution([shape]).reference(x, kernel: kernel, bias: bias).y)
    }
}
