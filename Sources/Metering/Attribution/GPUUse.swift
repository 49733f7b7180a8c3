/// What one account used and held of one card in an interval.
///
/// A sample of the card is shared out by these rules:
///
/// - Where one account alone was on it, all of the active part is that account's, a point. So it is of a job the card was
///   given to (`isOwner`) while no process is on it.
/// - Where several were, the active part goes by GPU seconds, with the same bounds as CPU seconds.
/// - Where several were and of any of them the seconds are unknown, or nobody has any, it goes by memory held if that is
///   known of all, else equally; the range of each reaches from none of the active part to all of it.
/// - Where nobody was, the active part is nobody's: `gap`.
/// - The idle part goes to the job that owns the card, else to jobs by the part of the card each was granted (the rest is
///   `idle`), else equally to the jobs on it, else to whoever else is on it, else to `idle`.
package struct GPUUse: Sendable, Hashable {
    /// Whether any of its processes was on the card.
    package var isPresent: Bool
    /// Mean utilisation (0 to 1) times the interval's length, over its processes; nil when unknown.
    package var seconds: Double?
    /// What its processes held of the card's memory; nil when unknown.
    package var memoryBytes: Int64?
    /// The card was given to this job and to nobody else.
    package var isOwner: Bool
    /// The part of the card that was given to this job, from 0 to 1; nil when cards are not granted in parts.
    package var grantedShare: Double?

    package init(
        isPresent: Bool = false, seconds: Double? = nil, memoryBytes: Int64? = nil, isOwner: Bool = false,
        grantedShare: Double? = nil
    ) {
        self.isPresent = isPresent
        self.seconds = seconds
        self.memoryBytes = memoryBytes
        self.isOwner = isOwner
        self.grantedShare = grantedShare
    }

    /// One process on the card.
    init(_ process: ProcessUse) {
        self.init(isPresent: true, seconds: process.seconds, memoryBytes: process.memoryBytes)
    }

    /// With numbers that can be divided by: what is no number is unknown.
    var cleaned: GPUUse {
        var clean = self
        clean.seconds = seconds.flatMap { $0.isFinite ? min(max(0, $0), 1e9) : nil }
        clean.memoryBytes = memoryBytes.map { max(0, $0) }
        clean.grantedShare = grantedShare.flatMap { $0.isFinite ? min(max(0, $0), 1) : nil }
        return clean
    }

    /// Both together; a sum with something unknown in it is unknown.
    func joined(_ other: GPUUse) -> GPUUse {
        let (one, two) = (cleaned, other.cleaned)
        var sum = one.isPresent ? one : two
        if one.isPresent, two.isPresent {
            sum.seconds = Self.sum(one.seconds, two.seconds) { $0 + $1 }
            sum.memoryBytes = Self.sum(one.memoryBytes, two.memoryBytes) {
                Int64(clamping: UInt64($0) + UInt64($1))
            }
        }
        sum.isOwner = one.isOwner || two.isOwner
        sum.grantedShare = one.grantedShare.map { $0 + (two.grantedShare ?? 0) } ?? two.grantedShare
        return sum
    }

    private static func sum<T>(_ one: T?, _ other: T?, _ add: (T, T) -> T) -> T? {
        guard let one, let other else { return nil }
        return add(one, other)
    }
}
