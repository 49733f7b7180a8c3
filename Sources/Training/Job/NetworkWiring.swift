import Learning
import Tensors

/// From layers that name their inputs to a network.
struct NetworkWiring {
    private let layers: LayerList
    /// What the data call the inputs of a sample, besides `input`, `input-1`, `input-2`.
    private let inputNames: [String]

    init(_ layers: LayerList, inputNames: [String] = []) {
        self.layers = layers
        self.inputNames = inputNames
    }

    /// - Throws: `model` with the layer whose input is unknown, or that the network refuses.
    func network(inputShapes: [Shape]) throws(LearningError) -> Network {
        var nodes: [Network.Node] = []
        var places: [String: Int] = [:]
        for (index, entry) in layers.entries.enumerated() {
            var sources: [Network.Source] = []
            for name in entry.inputs ?? [] { sources.append(try source(name, places, index, inputShapes.count)) }
            if entry.inputs == nil { sources = [index == 0 ? .input(0) : .node(index - 1)] }
            nodes.append(.init(name: entry.name, layer: entry.layer, inputs: sources))
            places[entry.name] = index
        }
        return try Network(inputShapes: inputShapes, nodes: nodes)
    }

    private func source(
        _ name: String, _ places: [String: Int], _ layer: Int, _ inputs: Int
    ) throws(LearningError) -> Network.Source {
        if let place = places[name] ?? layers.aliases[name].flatMap({ places[$0] }) { return .node(place) }
        if name == "input" { return .input(0) }
        for input in 0..<inputs {
            if name == "input-\(input + 1)" || (input < inputNames.count && name == inputNames[input]) {
                return .input(input)
            }
        }
        throw LearningError(
            .model,
            "layer \"\(layers.entries[layer].name)\" reads \"\(name)\", which is no layer before it and no input of the data",
            layer: layer)
    }
}
