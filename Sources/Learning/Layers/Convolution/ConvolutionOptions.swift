import Tensors

/// What convolution and pooling do at the edges, by its Keras name.
package enum ConvolutionPadding: String, CaseIterable, Sendable {
    /// Nothing: outputs where the whole window lies within the input.
    case valid
    /// `ceil(input / stride)` outputs, zeros around the input; of an odd number of zeros the greater part behind it.
    case same
    /// Zeros before the first step alone, so that no output sees a later step: sequences only.
    case causal
}

/// A number for each of an image's axes.
package struct Extent: Hashable, Sendable {
    package var height: Int
    package var width: Int

    package init(_ height: Int, _ width: Int) {
        self.height = height
        self.width = width
    }

    package init(_ both: Int) { self.init(both, both) }
}

/// What both convolution layers share.
package struct ConvolutionOptions: Hashable, Sendable {
    package var filters: Int
    package var kernelSize: Extent
    package var strides: Extent
    package var padding: ConvolutionPadding
    package var dilationRate: Extent
    /// The channels and the filters are dealt out to so many convolutions side by side.
    package var groups: Int
    package var activation: Activation
    package var usesBias: Bool
    package var kernelInitializer: KernelInitializer

    /// - Throws: `model` if no convolution of this input has these options.
    func shape(height: Int, width: Int, channels: Int) throws(LearningError) -> ConvolutionShape {
        let least = [filters, groups, kernelSize.height, kernelSize.width, strides.height, strides.width]
        guard least.allSatisfy({ $0 > 0 }), dilationRate.height > 0, dilationRate.width > 0 else {
            throw LearningError(.model, "filters, kernel-size, strides, dilation-rate and groups must be at least 1")
        }
        guard channels % groups == 0, filters % groups == 0 else {
            throw LearningError(
                .model, "groups = \(groups) must divide both the \(channels) channels and the \(filters) filters")
        }
        for (stride, dilation) in [(strides.height, dilationRate.height), (strides.width, dilationRate.width)]
        where stride > 1 && dilation > 1 {
            throw LearningError(.model, "one of strides and dilation-rate must be 1")
        }
        return ConvolutionShape(
            height: try axis(height, kernelSize.height, strides.height, padding, dilation: dilationRate.height),
            width: try axis(width, kernelSize.width, strides.width, padding, dilation: dilationRate.width),
            channels: channels, filters: filters, groups: groups)
    }

    /// The activation is left to a loss: what remains of the layer.
    var linear: ConvolutionOptions {
        var options = self
        options.activation = .linear
        return options
    }
}

/// - Throws: `model` if the window does not fit in.
func axis(
    _ input: Int, _ kernel: Int, _ stride: Int, _ padding: ConvolutionPadding, dilation: Int = 1
) throws(LearningError) -> ConvolutionShape.Axis {
    let span = ConvolutionShape.Axis.span(kernel: kernel, dilation: dilation)
    let output: Int
    let before: Int
    switch padding {
    case .valid:
        guard span <= input else {
            throw LearningError(
                .model, "a window of \(span) does not fit in \(input) positions; padding = \"same\" would make it")
        }
        output = (input - span) / stride + 1
        before = 0
    case .same:
        output = (input + stride - 1) / stride
        before = max((output - 1) * stride + span - input, 0) / 2
    case .causal:
        output = (input - 1) / stride + 1
        before = span - 1
    }
    return ConvolutionShape.Axis(
        input: input, kernel: kernel, stride: stride, dilation: dilation, before: before, output: output)
}
