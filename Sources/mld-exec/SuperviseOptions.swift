/// The options of `mld-exec supervise`.
struct SuperviseOptions {
    var record = ""
    /// The cgroup v2 directory the job is born in; the supervisor itself stays outside, so that it can outlive a kill.
    var cgroup: String?
    /// Seconds the job may run; time in which it is frozen does not count.
    var timeLimit: Double?
    /// Seconds between SIGTERM and SIGKILL.
    var grace = 10.0
    /// How long before the time limit the job is warned.
    var warn: Double?
    /// What its processes are sent then.
    var warnSignal: Int32?
    /// The files that are open as our standard output and error, to rename them when they are full.
    var stdout: String?
    var stderr: String?
    /// Bytes kept of each.
    var logLimit: Int64 = 64 << 20
    /// Whom the job runs as, where it is not us.
    var logOwner: (uid: UInt32, gid: UInt32)?
    /// Files and directories of the job's that whoever it runs as gets before it starts: the daemon itself may give nothing away.
    var given: [String] = []
    /// Bytes, where nothing but us holds the job to them.
    var memoryLimit: Int64?
    /// How many descriptors from 0 on the command inherits. The next number is the end of the status pipe.
    var passed: Int32 = 3
    /// The command is a sandbox around the job: it must not get the job's signals itself, and reports the job's start and
    /// end on the status pipe.
    var wrapped = false
    var command: [String]

    init(_ arguments: ArraySlice<String>) throws(Failure) {
        var reader = OptionReader(arguments)
        while let option = try reader.next() {
            switch option {
            case "--record": record = try reader.value(of: option)
            case "--cgroup": cgroup = try reader.value(of: option)
            case "--time-limit": timeLimit = try reader.seconds(of: option)
            case "--grace": grace = try reader.seconds(of: option)
            case "--warn": warn = try reader.seconds(of: option)
            case "--warn-signal":
                warnSignal = try reader.number(of: option, atLeast: 1)
                if let warnSignal, warnSignal > 64 { throw Failure(status: 2, "--warn-signal takes 1 to 64") }
            case "--stdout": stdout = try reader.value(of: option)
            case "--stderr": stderr = try reader.value(of: option)
            case "--log-limit": logLimit = try reader.number(of: option, atLeast: 2)
            case "--log-owner": logOwner = try Self.owner(reader.value(of: option))
            case "--give": given.append(try reader.value(of: option))
            case "--memory-limit": memoryLimit = try reader.number(of: option, atLeast: 1)
            case "--pass":
                passed = try reader.number(of: option)
                guard (1...12).contains(passed) else { throw Failure(status: 2, "--pass takes 1 to 12") }
            case "--wrapped": wrapped = true
            default: throw OptionReader.unknown(option)
            }
        }
        command = try reader.command()
        guard !record.isEmpty else { throw Failure(status: 2, "--record FILE is needed") }
        guard given.isEmpty || logOwner != nil else { throw Failure(status: 2, "--give needs --log-owner") }
        guard command[0].hasPrefix("/") else { throw Failure(status: 2, "the program needs an absolute path") }
    }

    /// Seconds before the time limit.
    var warning: Double { min(warn ?? min(60, (timeLimit ?? 0) / 10), timeLimit ?? 0) }

    private static func owner(_ text: String) throws(Failure) -> (uid: UInt32, gid: UInt32) {
        let parts = text.split(separator: ":").map { UInt32($0) }
        guard parts.count == 2, let uid = parts[0], let gid = parts[1] else {
            throw Failure(status: 2, "--log-owner \(text): not UID:GID")
        }
        return (uid, gid)
    }
}
