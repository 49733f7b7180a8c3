/// Names one submission of a user, in the header `Idempotency-Key`: sent again with the same key, as after a connection that broke, it
/// is answered with the job it made before.
package struct SubmissionKey: Hashable, Sendable, CustomStringConvertible {
    package static let header = "Idempotency-Key"
    package static let longest = 64

    package let description: String

    /// Nil for what is no key: one has 1 to 64 printable characters of ASCII, and no space.
    package init?(_ text: some StringProtocol) {
        guard (1...Self.longest).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        description = String(text)
    }

    private init(trusted: String) { description = trusted }

    /// One that nobody has used: 128 random bits.
    package static func random() -> SubmissionKey {
        let bits = UInt128.random(in: 0...UInt128.max)
        return SubmissionKey(trusted: String(bits, radix: 36))
    }
}
