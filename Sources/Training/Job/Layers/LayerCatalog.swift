import ConfigFile
import Learning

/// The layers a job file may name: how each is read from its `[[model.layer]]` table. A reader reports what is wrong
/// and gives nil, or a layer with defaults in place of what was wrong.
enum LayerCatalog {
    typealias Reader = @Sendable (ConfigReader) -> (any Layer)?

    static let readers: [String: Reader] = core.merging(convolution) { first, _ in first }
        .merging(recurrent) { first, _ in first }.merging(attention) { first, _ in first }.merging(joining) {
            first, _ in first
        }

    /// Dense layers and what works element by element.
    static let core: [String: Reader] = [
        Dense.kind: { reader in
            let units = reader.integer("units", in: 1...10_000_000)
            if reader.table["units"] == nil { reader.missing("units", example: "128") }
            let activation: Activation = reader.choice("activation") ?? .linear
            let usesBias = reader.boolean("use-bias") ?? true
            return Dense(
                units: units ?? 1, activation: activation, usesBias: usesBias,
                kernelInitializer: kernelInitializer(reader))
        },
        Activate.kind: { reader in
            let function: Activation? = reader.choice("function")
            if reader.table["function"] == nil { reader.missing("function", example: "\"gelu\"") }
            return Activate(function ?? .linear)
        },
        Flatten.kind: { _ in Flatten() },
        ReLU.kind: { _ in ReLU() },
    ]
}
