import Units

/// The candidate closest to `word` by edit distance, if it is close enough to be what was meant.
package func nearMatch(_ word: String, among candidates: [String]) -> String? {
    let word = Array(word.lowercased().utf8.prefix(64))
    var best: (candidate: String, distance: Int)?
    for candidate in candidates {
        let distance = editDistance(word, Array(candidate.lowercased().utf8.prefix(64)))
        if distance <= max(1, max(word.count, candidate.utf8.count) / 3), distance < best?.distance ?? .max {
            best = (candidate, distance)
        }
    }
    return best?.candidate
}
