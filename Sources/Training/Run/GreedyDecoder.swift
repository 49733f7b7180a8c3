import Datasets
import Learning
import Tensors

/// Translates with a trained encoder-decoder: at each place the likeliest word, given the ones before, until the end mark.
struct GreedyDecoder {
    let runner: StepRunner
    let encoding: PairEncoding

    /// - Parameters:
    ///   - sources: words as numbers, the end mark included, without padding.
    ///   - stop: asked between steps.
    /// - Returns: for each source the numbers of the translation's words.
    func translate(_ sources: [[Float]], stop: () -> Bool) throws(LearningError) -> [[Int]] {
        // How long a translation becomes is not known: half as long again as the source, and some.
        let byLength = Dictionary(grouping: sources.indices) { encoding.length(for: sources[$0].count * 3 / 2 + 6) }
        var translations = [[Int]](repeating: [], count: sources.count)
        for length in byLength.keys.sorted() {
            let members = byLength[length] ?? []
            for start in stride(from: 0, to: members.count, by: runner.model.batchSize) {
                if stop() { throw LearningError(.interrupted, "stopped on request while translating") }
                let part = Array(members[start..<min(start + runner.model.batchSize, members.count)])
                let made = try translate(part.map { sources[$0] }, length: length)
                for (member, translation) in zip(part, made) { translations[member] = translation }
            }
        }
        return translations
    }

    private func translate(_ sources: [[Float]], length: Int) throws(LearningError) -> [[Int]] {
        let batch = try learning { () throws(TensorError) in
            let shape = try Shape([length])
            return try Samples(
                count: sources.count, inputs: [shape, shape], features: FloatBuffer(count: sources.count * 2 * length),
                targetShape: shape, targets: FloatBuffer(count: sources.count * length))
        }
        let words = try runner.model(for: batch).output.shape.last
        let outputs = try learning { () throws(TensorError) in
            try FloatBuffer(count: sources.count * length * words)
        }
        for (row, source) in sources.enumerated() {
            let input = batch.features.base + row * 2 * length
            for (place, word) in source.prefix(length).enumerated() { input[place] = word }
            input[length] = Float(PairEncoding.start)
        }
        let rows = (0..<Int32(sources.count)).map { $0 }
        var translations = [[Int]](repeating: [], count: sources.count)
        var isOpen = [Bool](repeating: true, count: sources.count)
        for place in 0..<length where isOpen.contains(true) {
            try rows.withUnsafeBufferPointer { rows throws(LearningError) in
                try runner.predict(batch, rows, into: outputs.base)
            }
            for row in rows.indices where isOpen[row] {
                let word = likeliest(outputs.base + (row * length + place) * words, words)
                if word == PairEncoding.end {
                    isOpen[row] = false
                    continue
                }
                translations[row].append(word)
                if place + 1 < length { batch.features.base[(row * 2 + 1) * length + place + 1] = Float(word) }
            }
        }
        return translations
    }

    private func likeliest(_ values: FloatPointer, _ count: Int) -> Int {
        var best = 0
        for i in 1..<max(count, 1) where values[i] > values[best] { best = i }
        return best
    }

    private func learning<T>(_ body: () throws(TensorError) -> T) throws(LearningError) -> T {
        do { return try body() } catch { throw LearningError(error) }
    }
}
