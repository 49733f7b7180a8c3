import LinuxSystem
import Testing

@testable import Policy

struct SyscallListTests {
    /// The policy checks names against lists of its own, since `mlctl` has no libseccomp.
    @Test func theFilterAndThePolicyKnowTheSameCalls() throws {
        let output = try ProcessSpawner.run(Fixture.execPath, arguments: ["features"])
        func names(_ key: String) throws -> Set<String> {
            let line = try #require(output.text.split(separator: "\n").first { $0.hasPrefix(key + " ") })
            return Set(line.split(separator: " ").dropFirst().map(String.init))
        }
        #expect(try names("seccomp-allowable") == Set(Syscalls.allowable))
        // Refused for some arguments only: any clone3, and what personality could change.
        let refused = try names("seccomp-names").union(["clone3", "personality"])
        #expect(refused == Set(Syscalls.allowable + Syscalls.never))
    }
}
