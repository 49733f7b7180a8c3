import ConfigFile
import Foundation
import Testing

@testable import Policy

/// What is read and checked, and not done yet, is said.
@Suite struct NotInForceTests {
    @Test func eachIsNamedWithItsLine() throws {
        let set = try policy(
            """
            [machine]
            reserve-cpus = 1
            gpu-share = "memory"
            [queue.a]
            default = true
            gpu-share = false
            [budget.nlp]
            group = "staff"
            energy = "5 kWh/month"
            [[rule]]
            name = "dirty"
            match = { intensity-above = "400 g/kWh" }
            then = "cap"
            power = "100 W"
            [[rule]]
            name = "plain"
            match = { user = "ada" }
            then = "deny"
            """)
        let problems = set.notInForceYet
        #expect(Set(problems.map(\.line)) == [3, 6], "\(problems)")
        #expect(!problems.map(\.line).contains(2) && !problems.contains { $0.message.contains("plain") })
        #expect(problems.first?.description.hasPrefix("p.toml:3: \"machine.gpu-share\" is checked, but") == true)
    }

    @Test func whatIsBuiltInIsDone() {
        #expect(PolicySet.builtIn.notInForceYet.isEmpty)
    }

    @Test func theDocumentListsTheSame() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/../../docs/policy.md"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let section = try #require(text.components(separatedBy: "## Not in force yet").last)
        let lines = section.components(separatedBy: "\n## ")[0].split(separator: "\n")
        let listed = lines.filter { $0.hasPrefix("- `") }.map { String($0.dropFirst(3).dropLast()) }
        #expect(listed == PolicySet.notInForce)
        // Each stands for a key there is.
        for pattern in PolicySet.notInForce {
            let start = pattern.split(separator: "*", omittingEmptySubsequences: false)[0]
            #expect(PolicyKey.all.contains { $0.name.hasPrefix(start) }, "\(pattern)")
        }
    }
}
