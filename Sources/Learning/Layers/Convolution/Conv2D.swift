package import Tensors

/// `y = activation(x * W + b)`, a convolution over the height and the width of images, channels last.
///
/// `x [height, width, channels]`, or `[height, width]` for one channel; `W [kernel height, kernel width,
/// channels / groups, filters]` (kernel), `b [filters]` (bias), `y [height', width', filters]`. As everywhere in the field,
/// the kernel is not flipped.
package struct Conv2D: Layer {
    package static let kind = "conv-2d"

    package var options: ConvolutionOptions

    package init(
        filters: Int, kernelSize: Extent, strides: Extent = Extent(1), padding: ConvolutionPadding = .valid,
        dilationRate: Extent = Extent(1), groups: Int = 1, activation: Activation = .linear, usesBias: Bool = true,
        kernelInitializer: KernelInitializer = .glorotUniform
    ) {
        options = ConvolutionOptions(
            filters: filters, kernelSize: kernelSize, strides: strides, padding: padding, dilationRate: dilationRate,
            groups: groups, activation: activation, usesBias: usesBias, kernelInitializer: kernelInitializer)
    }

    package var splitOutputActivation: (layer: any Layer, activation: Activation)? {
        var layer = self
        layer.options = options.linear
        return (layer, options.activation)
    }

    private func convolution(_ inputs: [Shape]) throws(LearningError) -> ConvolutionShape {
        guard inputs.count == 1, 2...3 ~= inputs[0].rank else {
            throw LearningError(
                .model, "a conv-2d layer takes one input of the shape [height, width] or [height, width, channels]")
        }
        if options.padding == .causal {
            throw LearningError(.model, "padding = \"causal\" is for sequences; take \"same\" or \"valid\"")
        }
        let size = inputs[0].dimensions
        return try options.shape(height: size[0], width: size[1], channels: size.count == 3 ? size[2] : 1)
    }

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        let shape = try convolution(inputs)
        return try learning { () throws(TensorError) in
            try Shape([shape.height.output, shape.width.output, shape.filters])
        }
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let shapes = inputs.map(\.tensor.shape)
        let shape = try convolution(shapes)
        let window = [options.kernelSize.height, options.kernelSize.width]
        return try options.bind(
            inputs[0], shape, output: try outputShape(shapes),
            kernelShape: window + [shape.channels / shape.groups, shape.filters], &plan)
    }

    /// The forward pass of one image, spelt out.
    package func reference(_ x: [Double], shape: Shape, kernel: [Double], bias: [Double]?) throws -> [Double] {
        options.activated(try convolution([shape]).reference(x, kernel: kernel, bias: bias).y)
    }
}

extension ConvolutionOptions {
    /// The activation of each position's filters, spelt out.
    func activated(_ y: [Double]) -> [Double] {
        stride(from: 0, to: y.count, by: filters).flatMap { activation.reference(Array(y[$0..<($0 + filters)])) }
    }
}
