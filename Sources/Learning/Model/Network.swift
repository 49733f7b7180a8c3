package import Tensors

/// A graph of layers as the job describes it, in an order in which every layer comes after its inputs.
package struct Network: Sendable {
    package enum Source: Hashable, Sendable {
        /// One of the inputs of a sample.
        case input(Int)
        /// The output of an earlier node.
        case node(Int)
    }

    package struct Node: Sendable {
        package let name: String
        package let layer: any Layer
        package let inputs: [Source]

        package init(name: String, layer: any Layer, inputs: [Source]) {
            self.name = name
            self.layer = layer
            self.inputs = inputs
        }
    }

    /// The shapes of the inputs of one sample.
    package let inputShapes: [Shape]
    /// The last one is the output.
    package let nodes: [Node]

    /// - Throws: `model` if there is no node, or one names an input that is not before it, two share a name, or
    ///   nothing reads one of them.
    package init(inputShapes: [Shape], nodes: [Node]) throws(LearningError) {
        if inputShapes.isEmpty { throw LearningError(.model, "a model needs at least one input") }
        if nodes.isEmpty { throw LearningError(.model, "a model needs at least one layer") }
        var names: Set<String> = []
        for (index, node) in nodes.enumerated() {
            guard names.insert(node.name).inserted else {
                throw LearningError(.model, "two layers are called \"\(node.name)\"", layer: index)
            }
            for case .input(let input) in node.inputs where !inputShapes.indices.contains(input) {
                throw LearningError(
                    .model, "layer \"\(node.name)\" reads input \(input + 1) of \(inputShapes.count)", layer: index)
            }
            for case .node(let source) in node.inputs where !(0..<index).contains(source) {
                throw LearningError(
                    .model, "layer \"\(node.name)\" reads one that does not come before it", layer: index)
            }
        }
        let read = Set(nodes.flatMap(\.inputs))
        for index in nodes.indices.dropLast() where !read.contains(.node(index)) {
            throw LearningError(.model, "nothing reads layer \"\(nodes[index].name)\"", layer: index)
        }
        for input in inputShapes.indices where !read.contains(.input(input)) {
            throw LearningError(.model, "nothing reads input \(input + 1) of \(inputShapes.count)")
        }
        self.inputShapes = inputShapes
        self.nodes = try Network.tyingEmbeddings(nodes)
    }

    /// Tells embeddings that a later layer reads their matrix, and those layers its size.
    private static func tyingEmbeddings(_ nodes: [Node]) throws(LearningError) -> [Node] {
        var nodes = nodes
        for (index, node) in nodes.enumerated() {
            guard var tied = node.layer as? TiedDense else { continue }
            guard let source = nodes[..<index].firstIndex(where: { $0.name == tied.embedding }),
                var embedding = nodes[source].layer as? Embedding
            else {
                throw LearningError(
                    .model, "layer \"\(node.name)\" needs an embedding layer before it called \"\(tied.embedding)\"",
                    layer: index)
            }
            if embedding.isTied {
                throw LearningError(
                    .model, "layer \"\(node.name)\" is the second one that reads the matrix of \"\(tied.embedding)\"",
                    layer: index)
            }
            embedding.isTied = true
            tied.units = embedding.inputDim
            nodes[source] = Node(name: nodes[source].name, layer: embedding, inputs: nodes[source].inputs)
            nodes[index] = Node(name: node.name, layer: tied, inputs: node.inputs)
        }
        return nodes
    }

    /// Each layer reads the one before it. Without a name, a layer is called by its kind and place: `dense-2`.
    package static func sequential(
        inputShape: Shape, _ layers: [(name: String?, layer: any Layer)]
    ) throws(LearningError) -> Network {
        let nodes = layers.enumerated().map { index, entry in
            Node(
                name: entry.name ?? "\(entry.layer.kind)-\(index + 1)", layer: entry.layer,
                inputs: [index == 0 ? .input(0) : .node(index - 1)])
        }
        return try Network(inputShapes: [inputShape], nodes: nodes)
    }

    /// The shape of each node's output.
    ///
    /// - Throws: `model` with the layer that cannot take its inputs.
    package func shapes() throws(LearningError) -> [Shape] {
        var shapes: [Shape] = []
        for (index, node) in nodes.enumerated() {
            let inputs = node.inputs.map { source in
                switch source {
                case .input(let input): inputShapes[input]
                case .node(let source): shapes[source]
                }
            }
            do {
                shapes.append(try node.layer.outputShape(inputs))
            } catch {
                throw LearningError(error.code, "layer \"\(node.name)\": \(error.message)", layer: index)
            }
        }
        return shapes
    }
}
