import ConfigFile

/// Blocks that a job file may name like layers: each is written out as the layers it stands for, in the job file's own
/// language, where `@` is the block's input and names are its own.
enum BlockCatalog {
    /// Gives the layers, or reports what is wrong with the block's options.
    typealias Writer = @Sendable (ConfigReader) -> String?

    static let blocks: [String: Writer] = [
        "residual-block": residual, "wavenet": waveNet, "transformer-encoder": transformerEncoder,
        "transformer-decoder": transformerDecoder, "gpt-block": gpt,
    ]

    /// A required whole number.
    static func size(_ reader: ConfigReader, _ key: String, example: Int) -> Int? {
        let value = reader.integer(key, in: 1...1_000_000)
        if reader.table[key] == nil { reader.missing(key, example: "\(example)") }
        return value
    }
}
