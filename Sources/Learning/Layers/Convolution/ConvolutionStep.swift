import Tensors

extension ConvolutionOptions {
    /// Gives a convolution its place in memory.
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
        let initializer = kernelInitializer.initializer(fanIn: shape.depth, fanOut: window * filters / groups)
        let kernel = plan.parameter(
            "kernel", try learning { () throws(TensorError) in try Shape(kernelShape) }, initializer)
        let bias =
            usesBias
            ? plan.parameter("bias", try learning { () throws(TensorError) in try Shape([filters]) }, .zeros) : nil
        let output = plan.output(outputShape)
        let place = ConvolutionPlace(
            input: input, output: output, kernel: kernel, bias: bias, activation: activation, shape: shape)
        if let winograd = Winograd(shape) {
            return BoundLayer(output: output, step: WinogradStep(place: place, winograd: winograd, &plan))
        }
        return BoundLayer(output: output, step: ConvolutionStep(place: place, &plan))
    }
}

/// What both ways to compute a convolution work on.
private struct ConvolutionPlace: Sendable {
    let input: LayerInput
    let output: Tensor
    let kernel: ParameterSlot
    let bias: ParameterSlot?
    let activation: Activation
    let shape: ConvolutionShape

    func bias(_ frame: Frame) -> FloatPointer? { bias.map { frame.weights($0) } }

    /// What of the activation has not been done with the last product; the bias has.
    func activate(_ frame: Frame, _ rows: Range<Int>) {
        if activation == .relu || activation == .linear { return }
        activation.apply(
            frame[output.value] + rows.lowerBound * shape.outputCount,
            rows: rows.count * shape.outputCount / shape.filters, columns: shape.filters)
    }

    /// The gradient before the activation, in place, and its sum for the bias.
    func differentiate(_ frame: Frame, _ gradient: Slot, _ rows: Range<Int>) {
        let at = rows.lowerBound * shape.outputCount
        let count = rows.count * shape.outputCount
        activation.differentiate(frame[gradient] + at, output: frame[output.value] + at, count: count)
        guard let bias else { return }
        addRowSums(
            frame[gradient] + at, rows: count / shape.filters, columns: shape.filters, into: frame.gradient(bias))
    }
}

/// A convolution, image by image: what an image needs stays in the cache.
private struct ConvolutionStep: LayerStep {
    let place: ConvolutionPlace
    let layout: ConvolutionShape.GradientLayout
    /// The kernel as the products read it.
    let packed: Slot
    /// An image with zeros around it.
    let padded: Slot
    let packedTranspose: Slot
    let paddedBlock: Slot
    /// The output's gradient with zeros around it.
    let placed: Slot

    init(place: ConvolutionPlace, _ plan: inout MemoryPlan.Builder) {
        let shape = place.shape
        let wantsGradient = place.input.tensor.gradient != nil
        self.place = place
        layout = shape.gradientLayout(bordered: wantsGradient)
        packed = plan.scratch(perShard: shape.packedCount, .forward)
        padded = plan.scratch(perShard: shape.paddedCount, .forward)
        packedTranspose = plan.scratch(perShard: wantsGradient ? shape.packedTransposeCount : 0, .backward)
        paddedBlock = plan.scratch(perShard: shape.paddedCount * shape.block, .backward)
        placed = plan.scratch(perShard: layout.scratch, .backward)
    }

    func forward(_ frame: Frame) {
        let shape = place.shape
        let x = frame[place.input.tensor.value]
        let y = frame[place.output.value]
        let image = frame[padded]
        image.update(repeating: 0, count: shape.paddedCount)
        shape.pack(frame.weights(place.kernel), into: frame[packed])
        for row in 0..<frame.rows {
            shape.forward(
                shape.pad(x + row * shape.inputCount, into: image), frame[packed], into: y + row * shape.outputCount,
                bias: place.bias(frame), relu: place.activation == .relu)
            place.activate(frame, row..<(row + 1))
        }
    }

    func backward(_ frame: Frame) {
        guard let gradient = place.output.gradient else { return }
        let shape = place.shape
        let x = frame[place.input.tensor.value]
        let dy = frame[gradient]
        let dkernel = frame.gradient(place.kernel)
        dkernel.update(repeating: 0, count: shape.kernelCount)
        if let bias = place.bias { frame.gradient(bias).update(repeating: 0, count: shape.filters) }
        frame[paddedBlock].update(repeating: 0, count: shape.paddedCount * shape.block)
        frame[placed].update(repeating: 0, count: layout.scratch)
        if place.input.tensor.gradient != nil {
            shape.packTranspose(frame.weights(place.kernel), into: frame[packedTranspose])
        }
        for start in stride(from: 0, to: frame.rows, by: shape.block) {
            let images = min(shape.block, frame.rows - start)
            var (firstImage, firstGradient) = (x, dy)
            for i in 0..<images {
                let row = start + i
                place.differentiate(frame, gradient, row..<(row + 1))
                let image = shape.pad(x + row * shape.inputCount, into: frame[paddedBlock] + i * shape.paddedCount)
                let slice = shape.place(
                    dy + row * shape.outputCount, layout, into: frame[placed] + i * layout.stride)
                if i == 0 { (firstImage, firstGradient) = (image, slice) }
            }
            shape.addKernelGradient(firstImage, firstGradient, layout, images: images, into: dkernel)
            guard let inputGradient = place.input.tensor.gradient else { continue }
            for i in 0..<images {
                shape.imageGradient(
                    firstGradient + i * layout.stride, layout, frame[packedTranspose],
                    into: frame[inputGradient] + (start + i) * shape.inputCount,
                    accumulate: place.input.accumulates)
            }
        }
    }
}

/// The same with fewer products, where ``Winograd`` can be used.
private struct WinogradStep: LayerStep {
    let place: ConvolutionPlace
    let winograd: Winograd
    let packed: Slot
    let scratch: Slot
    let packedTranspose: Slot
    let backwardScratch: Slot

    init(place: ConvolutionPlace, winograd: Winograd, _ plan: inout MemoryPlan.Builder) {
        self.place = place
        self.winograd = winograd
        let wantsGradient = place.input.tensor.gradient != nil
        packed = plan.scratch(perShard: winograd.packedCount, .forward)
        scratch = plan.scratch(perShard: winograd.scratchCount, .forward)
        packedTranspose = plan.scratch(perShard: wantsGradient ? winograd.packedCount : 0, .backward)
        backwardScratch = plan.scratch(perShard: winograd.scratchCount, .backward)
    }

    func forward(_ frame: Frame) {
        winograd.pack(frame.weights(place.kernel), into: frame[packed], scratch: frame[scratch])
        winograd.forward(
            frame[place.input.tensor.value], rows: frame.rows, frame[packed], into: frame[place.output.value],
            bias: place.bias(frame), relu: place.activation == .relu, scratch: frame[scratch])
        place.activate(frame, 0..<frame.rows)
    }

    func backward(_ frame: Frame) {
        guard let gradient = place.output.gradient else { return }
        if let bias = place.bias { frame.gradient(bias).update(repeating: 0, count: place.shape.filters) }
        for row in 0..<frame.rows { place.differentiate(frame, gradient, row..<(row + 1)) }
        winograd.kernelGradient(
            frame[place.input.tensor.value], frame[gradient], rows: frame.rows, into: frame.gradient(place.kernel),
            scratch: frame[backwardScratch])
        guard let inputGradient = place.input.tensor.gradient else { return }
        winograd.packTranspose(
            frame.weights(place.kernel), into: frame[packedTranspose], scratch: frame[backwardScratch])
        winograd.imageGradient(
            frame[gradient], rows: frame.rows, frame[packedTranspose], into: frame[inputGradient],
            accumulate: place.input.accumulates, scratch: frame[backwardScratch])
    }
}
