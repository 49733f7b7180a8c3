/// The extents of a convolution: an image `[height, width, channels]`, a kernel `[height, width, channels / groups,
/// filters]` and an output `[height, width, filters]`. A sequence is an image of height 1.
package struct ConvolutionShape: Hashable, Sendable {
    /// One of the two axes that the kernel moves along.
    package struct Axis: Hashable, Sendable {
        package let input: Int
        package let kernel: Int
        package let stride: Int
        package let dilation: Int
        /// Zeros before the first position.
        package let before: Int
        package let output: Int

        package init(input: Int, kernel: Int, stride: Int, dilation: Int, before: Int, output: Int) {
            self.input = input
            self.kernel = kernel
            self.stride = stride
            self.dilation = dilation
            self.before = before
            self.output = output
        }

        /// Positions from the first to behind the last that one output reads.
        package static func span(kernel: Int, dilation: Int) -> Int { (kernel - 1) * dilation + 1 }

        /// Positions that all outputs read, with the zeros around.
        var padded: Int { (output - 1) * stride + Axis.span(kernel: kernel, dilation: dilation) }

        /// The part of the input gradient at positions `y` with `(y + before) mod stride = remainder`. It is a
        /// convolution with stride 1 of the output's gradient with the taps `remainder, remainder + stride, ...` in
        /// reverse: no tap meets a zero between outputs.
        func phase(_ remainder: Int) -> Phase {
            let first = (before - remainder + stride - 1) / stride
            let end = input + before > remainder ? (input - 1 + before - remainder) / stride + 1 : 0
            let taps = kernel > remainder ? (kernel - remainder + stride - 1) / stride : 0
            return Phase(first: first, count: max(end - first, 0), taps: taps)
        }

        /// Zeros that the phases read before and behind the output's gradient.
        var gradientBorder: (before: Int, after: Int) {
            var border = (before: 0, after: 0)
            for remainder in 0..<stride {
                let phase = phase(remainder)
                if phase.count == 0 || phase.taps == 0 { continue }
                border.before = max(border.before, (phase.taps - 1) * dilation - phase.first)
                border.after = max(border.after, phase.first + phase.count - output)
            }
            return border
        }
    }

    struct Phase {
        /// The first position's `(y + before) / stride`, rounded down.
        let first: Int
        let count: Int
        let taps: Int
    }

    package let height: Axis
    package let width: Axis
    package let channels: Int
    package let filters: Int
    package let groups: Int

    package init(height: Axis, width: Axis, channels: Int, filters: Int, groups: Int) {
        self.height = height
        self.width = width
        self.channels = channels
        self.filters = filters
        self.groups = groups
    }

    var groupChannels: Int { channels / groups }
    var groupFilters: Int { filters / groups }
    /// Products in one output number.
    package var depth: Int { height.kernel * width.kernel * groupChannels }
    /// Floats in one input, one output and the kernel.
    package var inputCount: Int { height.input * width.input * channels }
    package var outputCount: Int { height.output * width.output * filters }
    package var kernelCount: Int { depth * filters }

    /// Whether the image must be copied into zeros first.
    var pads: Bool {
        height.before > 0 || width.before > 0 || height.padded > height.input || width.padded > width.input
    }

    /// Floats from one row of the image that the kernel reads to the next.
    var imagePitch: Int { (pads ? width.padded : width.input) * channels }
    var imageCount: Int { pads ? height.padded * imagePitch : inputCount }
}
