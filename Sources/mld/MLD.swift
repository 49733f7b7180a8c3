import ArgumentParser
import Daemon
import Glibc

@main
struct MLD: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mld",
        abstract: "Schedules, sandboxes and meters jobs on this machine.",
        discussion: """
            Runs in the foreground until SIGTERM; jobs that run then go on and the next mld adopts them.
            Without --system everything belongs to the user who starts it.

            EXAMPLE
              mld                                   for yourself, then: mlctl run -- echo hello
              mld --state /tmp/mld --socket /tmp/mld/mld.sock
              mld --system                          as root, usually by systemd
            """,
        subcommands: [CalibrateCommand.self, BackupCommand.self, RestoreCommand.self])

    @Flag(help: "Serve all users of the machine: /run/mld, /var/lib/mld, /etc/mld. Needs root.")
    var system = false

    @Option(help: "The Unix socket to listen on.")
    var socket: String?

    @Option(help: "The directory of the ledger and the jobs' files.")
    var state: String?

    @Option(help: "The configuration file (default: mld.toml in the configuration directory).")
    var config: String?

    @Option(help: "The directory of the policy files, *.toml.")
    var policy: String?

    @Option(help: "A directory that stands in for /sys.")
    var sysfs: String?

    @Option(help: "A directory that stands in for /proc.")
    var procfs: String?

    @Option(help: "A directory that stands in for /sys/fs/cgroup.")
    var cgroupfs: String?

    @Option(help: "A library that stands in for NVIDIA's libnvidia-ml.so.1.")
    var nvml: String?

    @Option(help: "A program that stands in for ipmitool.")
    var ipmitool: String?

    @Option(help: "The socket of the service that starts jobs, mld-spawn.service (default: mld starts them itself).")
    var spawner: String?

    @Option(
        help: "The file that names the control group of jobs, which mld-jobs.service writes (default: below mld's own)."
    )
    var jobsCgroup: String?

    @Flag(name: .long, help: "Print the version and exit.")
    var version = false

    func run() async throws {
        if version { return print("mld \(Daemon.version)") }
        var flags = Settings.Flags()
        flags.system = system
        flags.socket = socket
        flags.state = state
        flags.config = config
        flags.policy = policy
        flags.sysfs = sysfs
        flags.procfs = procfs
        flags.cgroupfs = cgroupfs
        flags.nvml = nvml
        flags.ipmitool = ipmitool
        flags.spawner = spawner
        flags.jobsCgroup = jobsCgroup
        do {
            try await Daemon.run(
                Settings.resolve(
                    flags, environment: Daemon.environment(), uid: geteuid(), executable: Daemon.executablePath()))
        } catch {
            Daemon.complain("\(error)")
            throw ExitCode(1)
        }
    }
}
