import ConfigFile
import Learning

extension LayerCatalog {
    /// Layers that read a sequence step by step.
    static let recurrent: [String: Reader] = [
        SimpleRNN.kind: { reader in
            let (units, returnsSequences, isBidirectional) = recurrentOptions(reader)
            return SimpleRNN(units: units, returnsSequences: returnsSequences, isBidirectional: isBidirectional)
        },
        LSTM.kind: { reader in
            let (units, returnsSequences, isBidirectional) = recurrentOptions(reader)
            return LSTM(units: units, returnsSequences: returnsSequences, isBidirectional: isBidirectional)
        },
        GRU.kind: { reader in
            let (units, returnsSequences, isBidirectional) = recurrentOptions(reader)
            return GRU(units: units, returnsSequences: returnsSequences, isBidirectional: isBidirectional)
        },
    ]

    /// The options that all of them have.
    private static func recurrentOptions(
        _ reader: ConfigReader
    ) -> (units: Int, returnsSequences: Bool, isBidirectional: Bool) {
        let units = reader.integer("units", in: 1...65_536)
        if reader.table["units"] == nil { reader.missing("units", example: "64") }
        return (units ?? 1, reader.boolean("return-sequences") ?? false, reader.boolean("bidirectional") ?? false)
    }
}
