import ConfigFile
import Glibc
import JobAPI
package import LinuxSystem
package import Metering
import Units

/// Everything the daemon is told before it starts: flags over `mld.toml` over the mode's defaults.
package struct Settings: Sendable {
    package var isSystemMode: Bool
    package var socket: String
    package var stateDirectory: String
    /// Policy files are read from here; without any the built-in policy holds.
    package var policyDirectory: String
    /// Somebody named it: then it must be there, for without it caps, budgets and access would be gone unnoticed.
    package var isPolicyDirectoryNamed = false
    package var roots: SystemRoots
    /// Where `mld-exec` and `mltrain` are.
    package var programs: String
    /// Who starts jobs.
    package var spawner = Spawner.here
    /// The file that names the control group of jobs; nil where it is below our own.
    package var jobsCgroup: String?
    package var defaultProject: String
    package var logLevel: String
    /// What `mld calibrate` measured here; nil where nobody did.
    package var calibration: Calibration?

    /// What the command line says; nil where it says nothing.
    package struct Flags: Sendable {
        package var socket: String?
        package var state: String?
        package var config: String?
        package var policy: String?
        package var sysfs: String?
        package var procfs: String?
        package var cgroupfs: String?
        package var nvml: String?
        package var ipmitool: String?
        package var spawner: String?
        package var jobsCgroup: String?
        package var system = false

        package init() {}
    }

    /// - Throws: every problem of `mld.toml`, or that it was named and is not there.
    package static func resolve(
        _ flags: Flags, environment: [String: String], uid: UInt32, executable: String
    ) throws -> Settings {
        let isSystem = flags.system
        let places = isSystem ? Locations.system : .user(environment: environment, uid: uid)
        var settings = Settings(
            isSystemMode: isSystem, socket: places.socket, stateDirectory: places.stateDirectory,
            policyDirectory: places.configDirectory + "/policies.d",
            roots: SystemRoots(
                sysfs: flags.sysfs ?? "/sys", procfs: flags.procfs ?? "/proc",
                cgroupfs: flags.cgroupfs ?? "/sys/fs/cgroup", nvml: flags.nvml, ipmitool: flags.ipmitool),
            programs: programs(beside: executable), defaultProject: "default", logLevel: "info")
        let file = flags.config ?? places.configDirectory + "/mld.toml"
        if flags.config != nil || access(file, F_OK) == 0 {
            try settings.apply(SystemFile.text(file, limit: 1 << 20), file: file)
        }
        let calibration = places.configDirectory + "/" + Calibration.fileName
        // Another machine's processors, presented by a tree, were not the ones that were measured.
        if flags.procfs == nil, access(calibration, F_OK) == 0 {
            settings.calibration = try Calibration.read(calibration)
        }
        settings.socket = flags.socket ?? settings.socket
        settings.stateDirectory = flags.state ?? settings.stateDirectory
        settings.policyDirectory = flags.policy ?? settings.policyDirectory
        settings.isPolicyDirectoryNamed = flags.policy != nil || settings.isPolicyDirectoryNamed
        settings.jobsCgroup = flags.jobsCgroup
        settings.spawner = flags.spawner.map(Spawner.service) ?? .here
        let paths = [
            settings.socket, settings.stateDirectory, settings.policyDirectory, flags.spawner, flags.jobsCgroup,
        ].compactMap {
            $0
        }
        for path in paths where !path.hasPrefix("/") {
            throw DaemonError(stage: "settings", message: "\"\(path)\" must be an absolute path")
        }
        return settings
    }

    private mutating func apply(_ text: String, file: String) throws {
        let collector = ConfigReader.Collector()
        let reader = ConfigReader(try TOMLParser.parse(text, file: file), file: file, collector: collector)
        if let section = reader.table("daemon") {
            socket = section.string("socket") ?? socket
            stateDirectory = section.string("state") ?? stateDirectory
            if let directory = section.string("policy") {
                policyDirectory = directory
                isPolicyDirectoryNamed = true
            }
            defaultProject = section.string("default-project") ?? defaultProject
            if let level = section.choice("log-level", LogLevel.self) { logLevel = level.rawValue }
            section.finish()
        }
        reader.finish()
        try collector.check()
    }

    private enum LogLevel: String, CaseIterable { case debug, info, warning, error }

    /// Beside `mld`, or in `../libexec/mld` of an installed system.
    private static func programs(beside executable: String) -> String {
        let directory = executable.lastIndex(of: "/").map { String(executable[..<$0]) } ?? "."
        let installed = directory + "/../libexec/mld"
        return access(directory + "/mld-exec", X_OK) != 0 && access(installed + "/mld-exec", X_OK) == 0
            ? installed : directory
    }
}
