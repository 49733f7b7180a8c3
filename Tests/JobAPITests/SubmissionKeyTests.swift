import JobAPI
import Testing

@Suite struct SubmissionKeyTests {
    @Test func whatIsNoKeyIsNone() {
        for text in ["", "a b", "a\n", "\u{7F}", "é", String(repeating: "x", count: SubmissionKey.longest + 1)] {
            #expect(SubmissionKey(text) == nil, "\(text)")
        }
        for text in ["a", "0-9;~\"'", String(repeating: "x", count: SubmissionKey.longest)] {
            #expect(SubmissionKey(text)?.description == text)
        }
    }

    @Test func randomOnesAreKeysAndDiffer() {
        let keys = (0..<100).map { _ in SubmissionKey.random() }
        #expect(Set(keys).count == 100)
        #expect(keys.allSatisfy { SubmissionKey($0.description) == $0 })
    }
}
