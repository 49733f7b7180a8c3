/// Numbers words in the order in which they first appear. Words are bytes: what differs in a byte is another word, while
/// strings would take different spellings of one letter for the same.
struct WordIndex: Sendable {
    /// All words, one after the other.
    private var bytes: [UInt8] = []
    /// Where each word ends in ``bytes``.
    private var ends: [Int] = []
    /// Open addressing: numbers of words, or -1; a power of two, at most half full.
    private var slots = [Int32](repeating: -1, count: 1024)

    var count: Int { ends.count }

    func word(_ number: Int) -> ArraySlice<UInt8> { bytes[(number == 0 ? 0 : ends[number - 1])..<ends[number]] }

    func text(_ number: Int) -> String { String(decoding: word(number), as: UTF8.self) }

    /// The number of a word, or nil.
    func find(_ word: UnsafeBufferPointer<UInt8>) -> Int? {
        let slot = slots[place(of: word)]
        return slot < 0 ? nil : Int(slot)
    }

    func find(_ word: String) -> Int? {
        var word = word
        return word.withUTF8 { find($0) }
    }

    /// The number of a word, a new one if need be.
    @discardableResult
    mutating func insert(_ word: UnsafeBufferPointer<UInt8>) -> Int {
        let place = place(of: word)
        if slots[place] >= 0 { return Int(slots[place]) }
        let number = ends.count
        slots[place] = Int32(clamping: number)
        bytes.append(contentsOf: word)
        ends.append(bytes.count)
        if 2 * ends.count > slots.count { grow() }
        return number
    }

    @discardableResult
    mutating func insert(_ word: String) -> Int {
        var word = word
        return word.withUTF8 { insert($0) }
    }

    /// The slot that holds the word, or the free one where it belongs.
    private func place(of word: UnsafeBufferPointer<UInt8>) -> Int {
        var place = WordIndex.hash(word) & (slots.count - 1)
        while slots[place] >= 0, !isEqual(Int(slots[place]), word) { place = (place + 1) & (slots.count - 1) }
        return place
    }

    private func isEqual(_ number: Int, _ word: UnsafeBufferPointer<UInt8>) -> Bool {
        let start = number == 0 ? 0 : ends[number - 1]
        guard ends[number] - start == word.count else { return false }
        for i in 0..<word.count where bytes[start + i] != word[i] { return false }
        return true
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: 2 * slots.count)
        bytes.withUnsafeBufferPointer { all in
            var start = 0
            for (number, end) in ends.enumerated() {
                var place = WordIndex.hash(UnsafeBufferPointer(rebasing: all[start..<end])) & (slots.count - 1)
                while slots[place] >= 0 { place = (place + 1) & (slots.count - 1) }
                slots[place] = Int32(clamping: number)
                start = end
            }
        }
    }

    /// Seeded anew in each process, so that no file can be made of words that collide. Numbers do not depend on it.
    private static func hash(_ word: UnsafeBufferPointer<UInt8>) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(word))
        return hasher.finalize()
    }
}
