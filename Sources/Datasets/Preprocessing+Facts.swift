extension Preprocessing {
    /// What was done, in words, for the model's card.
    package var facts: [String] {
        var facts: [String] = []
        // Classes that are called by their numbers need no list.
        if let classes, classes != classes.indices.map({ "\($0)" }) {
            let shown = classes.prefix(20).map { "`\($0)`" }.joined(separator: ", ")
            facts.append("classes 0 to \(classes.count - 1): \(shown)\(classes.count > 20 ? ", ..." : "")")
        }
        if let pixels {
            facts.append("inputs are (value - \(pixels.mean)) / \(pixels.deviation) (`\(pixels.kind)`)")
        }
        if let sentence {
            facts.append(
                "sentences of \(sentence.sequenceLength) words, padded `\(sentence.padding.rawValue)`, out of a "
                    + "vocabulary of \(sentence.vocabulary.count)")
        }
        if let pair {
            facts.append(
                "pairs of at most \(pair.maximumLength) words, out of vocabularies of \(pair.source.count) and "
                    + "\(pair.target.count)")
        }
        if let stream {
            facts.append("blocks of \(stream.sequenceLength) words, out of a vocabulary of \(stream.vocabulary.count)")
        }
        if let recording {
            facts.append(
                "recordings of \(recording.sampleCount) samples at \(recording.sampleRate) a second, aligned at the "
                    + "\(recording.alignment.rawValue), loudness `\(recording.loudness.rawValue)`")
        }
        if let table {
            facts.append(
                "\(table.columns.count) columns (`\(table.scaling.rawValue)`, missing values `\(table.missing.rawValue)`) "
                    + "to predict `\(table.target)`")
        }
        if let ratings {
            facts.append("ratings of \(ratings.itemCount) items by \(ratings.userCount) users")
            if let noise = ratings.noise {
                facts.append("generated: no model has a mean squared error below \(noise * noise) on average")
            }
        }
        return facts
    }
}
