import Foundation
import JobAPI
import LinuxSystem
import Logging
import Testing

@testable import Daemon

/// What is kept of the limits that were before, and who holds which.
@Suite struct PowerHoldTests {
    private let directory: String
    private let file: String

    init() throws {
        directory = "/tmp/mldt-\(UUID().uuidString.prefix(8))"
        file = directory + "/sys/class/powercap/intel-rapl:0/constraint_0_power_limit_uw"
        _ = try RisingCounter.makePackage(below: directory + "/sys")
        try Data("40000000\n".utf8).write(to: URL(fileURLWithPath: file))
    }

    private func limits(boot: String = "a") -> PowerLimits {
        PowerLimits(
            roots: SystemRoots(sysfs: directory + "/sys"), path: directory + "/limits.json", bootID: boot,
            logger: Logger(label: "test"))
    }

    private var limit: String { get throws { try String(contentsOfFile: file, encoding: .utf8) } }
    private let key = "powercap/intel-rapl:0"

    @Test func theLowestHoldsAndInTheEndAllIsAsBefore() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let limits = limits()
        #expect(try await limits.hold(key, to: 30, for: .cap) == 30)
        #expect(try await limits.hold(key, to: 35, for: .job(JobID(1))) == 30)
        await limits.release(.cap)
        #expect(try limit == "35000000")
        // Never more than there was.
        #expect(try await limits.hold(key, to: 90, for: .job(JobID(1))) == 40)
        await limits.release(.job(JobID(1)))
        #expect(try limit == "40000000")
        #expect(!FileManager.default.fileExists(atPath: directory + "/limits.json"))
    }

    /// A limit that an earlier daemon lowered must not become the one that is put back.
    @Test(arguments: ["", "{", "{\"boot\": 1}"]) func whatCannotBeReadLeavesTheLimitsAlone(text: String) async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        _ = try await limits().hold(key, to: 30, for: .cap)
        try Data(text.utf8).write(to: URL(fileURLWithPath: directory + "/limits.json"))
        let limits = limits()
        await limits.undoLeftovers()
        #expect(try limit == "30000000")
        await #expect {
            _ = try await limits.hold(key, to: 20, for: .cap)
        } throws: { "\($0)".contains("nobody can tell what it was before") && "\($0)".contains("limits.json") }
        await limits.release(.cap)
        await limits.releaseAll()
        #expect(try limit == "30000000")
        #expect(try String(contentsOfFile: directory + "/limits.json", encoding: .utf8) == text)
    }

    @Test func whatAKilledDaemonLeftIsUndoneInItsOwnBootAlone() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        _ = try await limits().hold(key, to: 30, for: .cap)
        await limits(boot: "b").undoLeftovers()
        #expect(try limit == "30000000")
        try Data("40000000\n".utf8).write(to: URL(fileURLWithPath: file))
        _ = try await limits().hold(key, to: 30, for: .cap)
        await limits().undoLeftovers()
        #expect(try limit == "40000000")
    }
}
