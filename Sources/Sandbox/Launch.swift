import Glibc

/// One start of one job.
package struct Launch: Sendable, Hashable {
    /// Whom the job runs as; only root can name another than itself.
    package struct User: Sendable, Hashable {
        package var uid: UInt32
        package var gid: UInt32
        /// The supplementary groups.
        package var groups: [UInt32]

        package init(uid: UInt32, gid: UInt32, groups: [UInt32] = []) {
            self.uid = uid
            self.gid = gid
            self.groups = groups
        }
    }

    package var argv: [String]
    /// The job's own variables; they are added to the few the sandbox sets, and win over them. Nothing else is passed on.
    package var environment: [String: String]
    package var stdoutPath: String
    package var stderrPath: String
    /// The job may write events here; the descriptor's number is in its `MLD_EVENTS_FD`.
    package var eventsPath: String?
    /// Where the supervisor writes how the job ended.
    package var exitRecordPath: String
    package var timeLimitSeconds: Double?
    /// Between SIGTERM and SIGKILL.
    package var graceSeconds: Double
    /// How long before its time limit the job is warned, in its error log; a tenth of the limit, at most a minute, where nil.
    package var warnBeforeSeconds: Double?
    /// What its processes are sent with the warning, besides.
    package var warnSignal: Int32?
    /// Bytes kept of each of the two logs; the rest makes room for newer.
    package var logLimitBytes: Int64 = 64 << 20
    /// The name of the job's cgroup, unique among the daemon's jobs.
    package var cgroupName: String
    package var runAs: User?
    /// What whoever it runs as gets, besides the events' file: the places it writes to.
    package var given: [String] = []

    package init(
        argv: [String], environment: [String: String] = [:], stdoutPath: String, stderrPath: String,
        eventsPath: String? = nil, exitRecordPath: String, timeLimitSeconds: Double? = nil, graceSeconds: Double = 10,
        cgroupName: String, runAs: User? = nil
    ) {
        self.argv = argv
        self.environment = environment
        self.stdoutPath = stdoutPath
        self.stderrPath = stderrPath
        self.eventsPath = eventsPath
        self.exitRecordPath = exitRecordPath
        self.timeLimitSeconds = timeLimitSeconds
        self.graceSeconds = graceSeconds
        self.cgroupName = cgroupName
        self.runAs = runAs
    }

    /// The files of one attempt under their usual names in its directory.
    package init(
        jobDirectory: String, argv: [String], environment: [String: String] = [:], timeLimitSeconds: Double? = nil,
        graceSeconds: Double = 10, cgroupName: String, runAs: User? = nil
    ) {
        self.init(
            argv: argv, environment: environment, stdoutPath: jobDirectory + "/stdout",
            stderrPath: jobDirectory + "/stderr", eventsPath: jobDirectory + "/events",
            exitRecordPath: jobDirectory + "/exit.json", timeLimitSeconds: timeLimitSeconds, graceSeconds: graceSeconds,
            cgroupName: cgroupName, runAs: runAs)
    }
}

extension Launch {
    /// What the supervisor is told of the logs it writes.
    var outputOptions: [String] {
        var options = [
            "--stdout", stdoutPath, "--stderr", stderrPath, "--log-limit", String(max(2, logLimitBytes)),
        ]
        if let user = runAs, user.uid != geteuid() {
            options += ["--log-owner", "\(user.uid):\(user.gid)"]
            for path in given + [eventsPath].compactMap({ $0 }) { options += ["--give", path] }
        }
        return options
    }

    var warningOptions: [String] {
        (warnBeforeSeconds.map { ["--warn", String(max(0, $0))] } ?? [])
            + (warnSignal.map { ["--warn-signal", String($0)] } ?? [])
    }
}

/// A job that runs: enough to find it again after the daemon was restarted, and what its sandbox really holds.
package struct Started: Sendable, Hashable, Codable {
    package var supervisorPID: Int32
    /// Clock ticks after boot, from `/proc/PID/stat`: with the pid it names the process for ever.
    package var startTime: UInt64
    /// The job's cgroup, if it has one.
    package var cgroupPath: String?
    /// What holds, in plain sentences.
    package var enforced: [String]
    /// What was asked for and cannot be had here, and why.
    package var notEnforced: [String]

    package init(
        supervisorPID: Int32, startTime: UInt64, cgroupPath: String?, enforced: [String] = [],
        notEnforced: [String] = []
    ) {
        self.supervisorPID = supervisorPID
        self.startTime = startTime
        self.cgroupPath = cgroupPath
        self.enforced = enforced
        self.notEnforced = notEnforced
    }
}
