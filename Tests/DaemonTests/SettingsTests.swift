import ConfigFile
import Foundation
import Testing

@testable import Daemon

@Suite struct SettingsTests {
    private func resolve(_ change: (inout Settings.Flags) -> Void = { _ in }) throws -> Settings {
        var flags = Settings.Flags()
        change(&flags)
        return try Settings.resolve(
            flags, environment: ["HOME": "/home/ada", "XDG_RUNTIME_DIR": "/run/user/1000"], uid: 1000,
            executable: "/opt/mld/mld")
    }

    private func withConfig(_ text: String, _ body: (String) throws -> Void) throws {
        let path = "/tmp/mldt-\(UUID().uuidString).toml"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    @Test func theModesHaveTheirPlaces() throws {
        let user = try resolve()
        #expect(user.socket == "/run/user/1000/mld/mld.sock")
        #expect(user.stateDirectory == "/home/ada/.local/state/mld")
        #expect(user.policyDirectory == "/home/ada/.config/mld/policies.d")
        #expect(user.programs == "/opt/mld")
        #expect(!user.isPolicyDirectoryNamed)
        let system = try resolve { $0.system = true }
        #expect(system.socket == "/run/mld/mld.sock")
        #expect(system.stateDirectory == "/var/lib/mld")
        #expect(system.policyDirectory == "/etc/mld/policies.d")
    }

    @Test func whoNamesThePolicyDirectoryMeansIt() throws {
        #expect(try resolve { $0.policy = "/p" }.isPolicyDirectoryNamed)
        try withConfig("[daemon]\npolicy = \"/p\"\n") { path in
            let settings = try resolve { $0.config = path }
            #expect(settings.isPolicyDirectoryNamed && settings.policyDirectory == "/p")
        }
    }

    @Test func flagsWinOverTheFile() throws {
        try withConfig("[daemon]\nsocket = \"/a/s\"\nstate = \"/a/state\"\nlog-level = \"debug\"\n") { path in
            let settings = try resolve {
                $0.config = path
                $0.state = "/b/state"
            }
            #expect(settings.socket == "/a/s")
            #expect(settings.stateDirectory == "/b/state")
            #expect(settings.logLevel == "debug")
        }
    }

    @Test func aWrongFileIsRefusedWithItsLine() throws {
        try withConfig("[daemon]\nsockets = \"/a/s\"\n") { path in
            let problems = #expect(throws: ConfigProblems.self) { try resolve { $0.config = path } }
            #expect(problems?.description == "\(path):2: unknown key \"sockets\" in [daemon]; did you mean \"socket\"?")
        }
        #expect(throws: (any Error).self) { try resolve { $0.config = "/no/such/file.toml" } }
        #expect(throws: DaemonError.self) { try resolve { $0.state = "relative" } }
    }
}
