/// What was done to raw data to make samples of them, and must be done to new ones before a prediction. Kept with the
/// model.
package struct Preprocessing: Codable, Hashable, Sendable {
    /// The name of the reader in job files.
    package var reader: String
    /// The shape of each input; where lengths vary, of the longest.
    package var inputShapes: [[Int]]
    /// The names of the classes by their numbers, where they have any.
    package var classes: [String]?
    /// One of these, by the reader.
    package var pixels: PixelScaling?
    package var sentence: SentenceEncoding?
    package var pair: PairEncoding?
    package var stream: StreamEncoding?
    package var recording: RecordingPreparation?
    package var table: TablePreparation?
    package var ratings: RatingsEncoding?

    package init(reader: String, inputShapes: [[Int]], classes: [String]? = nil) {
        self.reader = reader
        self.inputShapes = inputShapes
        self.classes = classes
    }
}

/// `(byte - mean) / deviation`
package struct PixelScaling: Codable, Hashable, Sendable {
    package var kind: String
    package var mean: Double
    package var deviation: Double

    package init(_ normalization: Normalization) {
        kind = normalization.kind.rawValue
        mean = normalization.mean
        deviation = normalization.deviation
    }
}
