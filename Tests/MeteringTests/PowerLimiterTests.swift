import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import Metering

@Suite struct PowerLimiterTests {
    private func limit(_ machine: FakeMachine, _ zone: String, _ text: String) throws {
        try machine.write("sys/class/powercap/\(zone)/constraint_0_power_limit_uw", text)
    }

    private func read(_ machine: FakeMachine, _ zone: String) throws -> String {
        try String(
            contentsOfFile: machine.directory + "/sys/class/powercap/\(zone)/constraint_0_power_limit_uw",
            encoding: .utf8)
    }

    @Test func packagesAreLimitedThroughPowercap() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 1)
        try machine.zone("intel-rapl:0:0", name: "core", energy: 1)
        try machine.zone("intel-rapl-mmio:0", name: "package-0", energy: 1)
        try machine.zone("intel-rapl:1", name: "package-1", energy: 1)
        for zone in ["intel-rapl:0", "intel-rapl:0:0", "intel-rapl-mmio:0", "intel-rapl:1"] {
            try limit(machine, zone, "125000000\n")
        }
        let (limiters, problems) = PowerLimiter.all(roots: machine.roots)
        #expect(limiters.map(\.domain) == ["package-0", "package-1"] && problems.isEmpty)
        #expect(limiters.allSatisfy { $0.kind == .cpu })
        #expect(try limiters[1].limit() == 125)
        #expect(try limiters[1].set(62.5) == 62.5)
        #expect(try read(machine, "intel-rapl:1") == "62500000")
        #expect(try read(machine, "intel-rapl:0") == "125000000\n")
        #expect(throws: PowerLimitError.self) { try limiters[0].set(0) }
        #expect(throws: PowerLimitError.self) { try limiters[0].set(.nan) }
    }

    @Test(arguments: ["", "0\n", "-5\n", "lots\n", "99999999999999\n"])
    func nonsenseIsNoLimit(text: String) throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 1)
        try limit(machine, "intel-rapl:0", text)
        let (limiters, problems) = PowerLimiter.all(roots: machine.roots)
        #expect(limiters.isEmpty && problems.count == 1)
    }

    @Test func oneThatIsSwitchedOffHoldsNothing() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 1)
        try limit(machine, "intel-rapl:0", "125000000\n")
        try machine.write("sys/class/powercap/intel-rapl:0/enabled", "0\n")
        let (limiters, problems) = PowerLimiter.all(roots: machine.roots)
        #expect(limiters.isEmpty)
        #expect(problems.map(\.description) == ["package-0: its power limit is switched off"])
    }

    @Test(.enabled(if: FakeNVML.library != nil)) func cardsAreLimitedThroughNVML() throws {
        let machine = try FakeMachine()
        let library = try FakeNVML(in: machine.directory)
        try library.say("0 power 90000", "0 limit 250000", "0 least 100000", "0 most 300000", "1 power 90000")
        var roots = machine.roots
        roots.nvml = library.path
        let (limiters, problems) = PowerLimiter.all(roots: roots)
        let card = try #require(limiters.first)
        #expect(limiters.count == 1 && card.kind == .gpu && card.range == 100...300)
        #expect(problems.map(\.domain) == ["gpu 1"])
        #expect(try card.limit() == 250)
        #expect(try card.set(150) == 150)
        // Never beyond what the card takes.
        #expect(try card.set(20) == 100)
        #expect(try card.set(900) == 300)
        #expect(InstalledCard.all(roots: roots).cards.map(\.powerLimit) == [300, nil])
        try library.say("0 power 90000", "0 limit 250000", "0 limit-result 4")
        #expect(throws: PowerLimitError.self) { try card.set(150) }
    }
}
