import Testing
import Units

@testable import Policy

@Suite struct PolicyHashTests {
    @Test func aPolicysHashDependsOnNamesTextsAndOrder() {
        let a = (name: "/etc/mld/policies.d/a.toml", text: "x = 1\n")
        let b = (name: "b.toml", text: "")
        // printf 'a.toml\n6\nx = 1\nb.toml\n0\n' | sha256sum
        #expect(
            PolicySet.hash(of: [a, b]) == SHA256.hex("a.toml\n6\nx = 1\nb.toml\n0\n".utf8))
        #expect(PolicySet.hash(of: [a, b]) != PolicySet.hash(of: [b, a]))
        #expect(PolicySet.hash(of: [a]) == PolicySet.hash(of: [(name: "elsewhere/a.toml", text: a.text)]))
        #expect(PolicySet.hash(of: [a]) != PolicySet.hash(of: [(name: "a.toml", text: "x = 2\n")]))
    }
}
