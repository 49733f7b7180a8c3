/// Where the daemon listens and keeps its state, from the environment alone.
package struct Locations: Hashable, Sendable {
    package var socket: String
    package var stateDirectory: String
    package var configDirectory: String

    /// System mode: root's daemon.
    package static let system = Locations(
        socket: "/run/mld/mld.sock", stateDirectory: "/var/lib/mld", configDirectory: "/etc/mld")

    package init(socket: String, stateDirectory: String, configDirectory: String) {
        self.socket = socket
        self.stateDirectory = stateDirectory
        self.configDirectory = configDirectory
    }

    /// User mode: everything below directories of the user's own.
    package static func user(environment: [String: String], uid: UInt32) -> Locations {
        let home = environment["HOME"] ?? "/"
        let runtime = environment["XDG_RUNTIME_DIR"].map { $0 + "/mld" } ?? "/tmp/mld-\(uid)"
        return Locations(
            socket: runtime + "/mld.sock",
            stateDirectory: (environment["XDG_STATE_HOME"] ?? home + "/.local/state") + "/mld",
            configDirectory: (environment["XDG_CONFIG_HOME"] ?? home + "/.config") + "/mld")
    }
}
