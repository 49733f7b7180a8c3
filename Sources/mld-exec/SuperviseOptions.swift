/// The options of `mld-exec supervise`.
struct SuperviseOptions {
    var record = ""
    /// The cgroup v2 directory the job is born in; the supervisor itself stays outside, so that it can outlive a kill.
    var cgroup: String?
    /// Seconds the job may run; time in which it is frozen does not count.
    var timeLimit: Double?
    /// Seconds between SIGTERM and SIGKILL.
    var grace = 10.0
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
            case "--pass":
                passed = try reader.number(of: option)
                guard (1...12).contains(passed) else { throw Failure(status: 2, "--pass takes 1 to 12") }
            case "--wrapped": wrapped = true
            default: throw OptionReader.unknown(option)
            }
        }
        command = try reader.command()
        guard !record.isEmpty else { throw Failure(status: 2, "--record FILE is needed") }
        guard command[0].hasPrefix("/") else { throw Failure(status: 2, "the program needs an absolute path") }
    }
}
