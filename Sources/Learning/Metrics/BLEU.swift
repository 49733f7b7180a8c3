import Glibc

/// How much translations share with reference translations, over a whole corpus: Papineni et al., "BLEU: a method for
/// automatic evaluation of machine translation", 2002.
///
/// `BLEU = b exp(sum over n = 1...4 of log p_n / 4)`: `p_n` is the part of the translations' n-grams that are in their
/// references, each at most as often as there (clipped), counted over the corpus; `b = min(1, e^(1 - r / c))` punishes
/// translations that are shorter (c tokens) than the references (r). A `p_n` without a match becomes `1 / (2^k total)`, with
/// k the how-manieth it is: the method 3 of Chen and Cherry, "A systematic comparison of smoothing techniques for
/// sentence-level BLEU", 2014, which sacrebleu calls `exp` and takes by default (Post, "A call for clarity in reporting
/// BLEU scores", 2018). Equal to `sacrebleu --tokenize none` on the same tokens.
package struct BLEU: Hashable, Sendable {
    package static let order = 4

    /// From 0 to 100.
    package let score: Double
    /// `p_1` to `p_4`, from 0 to 100, smoothed.
    package let precisions: [Double]
    package let brevityPenalty: Double
    package let translationTokens: Int
    package let referenceTokens: Int

    /// - Parameters:
    ///   - translations: sentences of tokens.
    ///   - references: one for each.
    /// - Throws: `data` if the counts differ.
    package init<Token: Hashable>(translations: [[Token]], references: [[Token]]) throws(LearningError) {
        try MetricChecks.pairs(references.count, translations.count)
        var matches = [Int](repeating: 0, count: BLEU.order)
        var totals = [Int](repeating: 0, count: BLEU.order)
        for (translation, reference) in zip(translations, references) {
            for n in 1...BLEU.order {
                var left = BLEU.grams(reference, n)
                for (gram, count) in BLEU.grams(translation, n) {
                    totals[n - 1] += count
                    matches[n - 1] += min(count, left.removeValue(forKey: gram) ?? 0)
                }
            }
        }
        translationTokens = translations.reduce(0) { $0 + $1.count }
        referenceTokens = references.reduce(0) { $0 + $1.count }
        let (c, r) = (Double(translationTokens), Double(referenceTokens))
        let penalty = c < r ? (c > 0 ? exp(1 - r / c) : 0) : 1
        brevityPenalty = penalty

        var precisions = [Double](repeating: 0, count: BLEU.order)
        var smoothing = 1.0
        for n in 0..<BLEU.order where totals[n] > 0 {
            if matches[n] == 0 {
                smoothing *= 2
                precisions[n] = 100 / (smoothing * Double(totals[n]))
            } else {
                precisions[n] = 100 * Double(matches[n]) / Double(totals[n])
            }
        }
        // Without a single match there is nothing to smooth.
        if matches.allSatisfy({ $0 == 0 }) { precisions = [Double](repeating: 0, count: BLEU.order) }
        self.precisions = precisions
        if precisions.contains(0) {
            score = 0
        } else {
            // Rounding may lift it a little above.
            score = min(penalty * exp(precisions.reduce(0) { $0 + log($1) } / Double(BLEU.order)), 100)
        }
    }

    private static func grams<Token: Hashable>(_ sentence: [Token], _ n: Int) -> [ArraySlice<Token>: Int] {
        var counts: [ArraySlice<Token>: Int] = [:]
        guard sentence.count >= n else { return counts }
        for start in 0...(sentence.count - n) { counts[sentence[start..<(start + n)], default: 0] += 1 }
        return counts
    }
}
