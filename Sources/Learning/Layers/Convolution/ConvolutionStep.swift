import Tensors

extension ConvolutionOptions {
    /// Takes the place in memory of a convolution with this output shape.
    ///
    /// - Parameter kernelShape: as Keras has it: the window, channels in a group, filters.
    func bind(
        _ input: LayerInput, _ shape: ConvolutionShape, output outputShape: Shape, kernelShape: [Int],
        _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        if activation == .softmax {
            throw LearningError(
                .model, "activation = \"softmax\" belongs to the last layer, with a categorical cross-entropy loss")
        }
        let window = kernelSize.height * kernelSize.width
        let initializer: Initializer =
            switch kernelInitializer {
            case .glorotUniform: .glorotUniform(fanIn: shape.depth, fanOut: window * filters / groups)
            case .heNormal: .heNormal(fanIn: shape.depth)
            }
        let kernel = plan.parameter(
            "kernel", try learning { () throws(TensorError) in try Shape(kernelShape) }, initializer)
        let bias =
            usesBias
            ? plan.parameter("bias", try learning { () throws(TensorError) in try Shape([filters]) }, .zeros) : nil
        let output = plan.output(outputShape)
        let wantsGradient = input.tensor.gradient != nil
        let layout = shape.gradientLayout(bordered: wantsGradient)
        return BoundLayer(
            output: output,
            step: ConvolutionStep(
                input: input, output: output, kernel: kernel, bias: bias, activation: activation, shape: shape,
                layout: layout, packed: plan.scratch(perShard: shape.packedCount, .forward),
                padded: plan.scratch(perShard: shape.paddedCount, .forward),
                packedTranspose: plan.scratch(perShard: wantsGradient ? shape.packedTransposeCount : 0, .backward),
                paddedBlock: plan.scratch(perShard: shape.paddedCount * shape.block, .backward),
                placed: plan.scratch(perShard: layout.scratch, .backward)))
    }
}

/// A convolution, image by image: what an image needs stays in the cache.
private struct ConvolutionStep: LayerStep {
    let input: LayerInput
    let output: Tensor
    let kernel: ParameterSlot
    let bias: ParameterSlot?
    let activation: Activation
    let shape: ConvolutionShape
    let layout: ConvolutionShape.GradientLayout
    /// The kernel as the products read it.
    let packed: Slot
    /// An image with zeros around it.
    let padded: Slot
    let packedTranspose: Slot
    let paddedBlock: Slot
    /// The output's gradient with zeros around it.
    let placed: Slot

    func forward(_ frame: Frame) {
        let x = frame[input.tensor.value]
        let y = frame[output.value]
        let image = frame[padded]
        image.update(repeating: 0, count: shape.paddedCount)
        shape.pack(frame.weights(kernel), into: frame[packed])
        for row in 0..<frame.rows {
            let to = y + row * shape.outputCount
            shape.forward(
                shape.pad(x + row * shape.inputCount, into: image), frame[packed], into: to,
                bias: bias.map { frame.weights($0) }, relu: activation == .relu)
            if activation != .relu && activation != .linear {
                activation.apply(to, rows: shape.outputCount / shape.filters, columns: shape.filters, bias: nil)
            }
        }
    }

    func backward(_ frame: Frame) {
        guard let gradient = output.gradient else { return }
        let x = frame[input.tensor.value]
        let y = frame[output.value]
        let dy = frame[gradient]
        let dkernel = frame.gradient(kernel)
        dkernel.update(repeating: 0, count: shape.kernelCount)
        if let bias { frame.gradient(bias).update(repeating: 0, count: shape.filters) }
        frame[paddedBlock].update(repeating: 0, count: shape.paddedCount * shape.block)
        frame[placed].update(repeating: 0, count: layout.scratch)
        if input.tensor.gradient != nil {
            shape.packTranspose(frame.weights(kernel), into: frame[packedTranspose])
        }
        for start in stride(from: 0, to: frame.rows, by: shape.block) {
            let images = min(shape.block, frame.rows - start)
            var (firstImage, firstGradient) = (x, dy)
            for i in 0..<images {
                let row = start + i
                let slice = dy + row * shape.outputCount
                activation.differentiate(slice, output: y + row * shape.outputCount, count: shape.outputCount)
                if let bias {
                    addRowSums(
                        slice, rows: shape.outputCount / shape.filters, columns: shape.filters,
                        into: frame.gradient(bias))
                }
                let image = shape.pad(x + row * shape.inputCount, into: frame[paddedBlock] + i * shape.paddedCount)
                let placed = shape.place(slice, layout, into: frame[placed] + i * layout.stride)
                if i == 0 { (firstImage, firstGradient) = (image, placed) }
            }
            shape.addKernelGradient(firstImage, firstGradient, layout, images: images, into: dkernel)
            guard let inputGradient = input.tensor.gradient else { continue }
            for i in 0..<images {
                shape.imageGradient(
                    firstGradient + i * layout.stride, layout, frame[packedTranspose],
                    into: frame[inputGradient] + (start + i) * shape.inputCount, accumulate: input.accumulates)
            }
        }
    }
}
