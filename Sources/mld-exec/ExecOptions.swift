import Glibc

/// The options of `mld-exec exec`.
struct ExecOptions {
    /// A path inside the sandbox and what it must be.
    struct Identity {
        var device: UInt
        var inode: UInt
        var path: String
    }

    /// Stay as process 1 of the sandbox: reap, and report how the command really ended.
    var initProcess = false
    var status: Int32?
    var environment: Int32?
    var verify: [Identity] = []
    var directory: String?
    var limits: [(resource: ResourceLimit, value: UInt64)] = []
    /// The CPUs to run on, by the kernel's numbers; empty for any.
    var cpus: [Int32] = []
    var user: User?
    var seccomp = false
    /// Where a filter can be read that was made before.
    var filter: Int32?
    /// System calls refused besides those of the filter, and those taken off it.
    var refusedCalls: [String] = []
    var allowedCalls: [String] = []
    var landlock = false
    var grants = Landlock.Grants()
    var closeFrom: Int32 = 3
    var command: [String]

    init(_ arguments: ArraySlice<String>) throws(Failure) {
        var reader = OptionReader(arguments)
        var user = User.Options()
        while let option = try reader.next() {
            if try user.take(option, from: &reader) { continue }
            switch option {
            case "--init": initProcess = true
            case "--status-fd": status = try reader.number(of: option)
            case "--env-fd": environment = try reader.number(of: option)
            case "--verify": verify.append(try Self.identity(reader.value(of: option)))
            case "--chdir": directory = try reader.value(of: option)
            case "--rlimit": limits.append(try Self.limit(reader.value(of: option)))
            case "--cpus": cpus = try Self.numbers(reader.value(of: option))
            case "--seccomp":
                let name = try reader.value(of: option)
                guard name == "default" else {
                    throw Failure(status: 2, "--seccomp \(name): the only filter is \"default\"")
                }
                seccomp = true
            case "--seccomp-fd": filter = try reader.number(of: option)
            case "--refuse-call": refusedCalls.append(try reader.value(of: option))
            case "--allow-call":
                let name = try reader.value(of: option)
                guard SyscallFilter.allowable.contains(name) else {
                    throw Failure(status: 2, "--allow-call \(name): no job may be allowed it")
                }
                allowedCalls.append(name)
            case "--landlock": landlock = true
            case "--grant-read": grants.read.append(try reader.value(of: option))
            case "--grant-use": grants.use.append(try reader.value(of: option))
            case "--grant-write": grants.write.append(try reader.value(of: option))
            case "--deny-tcp": grants.denyTCP = true
            case "--close-fds-from": closeFrom = try reader.number(of: option)
            default: throw OptionReader.unknown(option)
            }
        }
        self.user = try user.user()
        command = try reader.command()
        guard !seccomp || filter == nil else {
            throw Failure(status: 2, "--seccomp and --seccomp-fd exclude each other")
        }
        guard seccomp || (refusedCalls.isEmpty && allowedCalls.isEmpty) else {
            throw Failure(status: 2, "--refuse-call and --allow-call change the filter of --seccomp")
        }
    }

    private static func identity(_ text: String) throws(Failure) -> Identity {
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let device = UInt(parts[0]), let inode = UInt(parts[1]) else {
            throw Failure(status: 2, "--verify \(text): not DEVICE:INODE:PATH")
        }
        return Identity(device: device, inode: inode, path: String(parts[2]))
    }

    private static func numbers(_ text: String) throws(Failure) -> [Int32] {
        let words = text.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = words.compactMap { Int32($0) }.filter { $0 >= 0 }
        guard numbers.count == words.count else {
            throw Failure(status: 2, "--cpus \(text.prefix(100)): not numbers with commas between them")
        }
        return numbers
    }

    private static func limit(_ text: String) throws(Failure) -> (resource: ResourceLimit, value: UInt64) {
        let parts = text.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let resource = ResourceLimit(rawValue: String(parts[0])), let value = UInt64(parts[1])
        else {
            let names = ResourceLimit.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(status: 2, "--rlimit \(text): not NAME=NUMBER; the names are \(names)")
        }
        return (resource, value)
    }
}

/// The limits of setrlimit(2) a job can be given, in its units: bytes, processes, descriptors, CPU seconds.
enum ResourceLimit: String, CaseIterable {
    case addressSpace = "as"
    case core, cpu, data, fsize, memlock, nofile, nproc, stack

    private var kind: Int32 {
        let resource =
            switch self {
            case .addressSpace: RLIMIT_AS
            case .core: RLIMIT_CORE
            case .cpu: RLIMIT_CPU
            case .data: RLIMIT_DATA
            case .fsize: RLIMIT_FSIZE
            case .memlock: __RLIMIT_MEMLOCK
            case .nofile: RLIMIT_NOFILE
            case .nproc: __RLIMIT_NPROC
            case .stack: RLIMIT_STACK
            }
        return Int32(resource.rawValue)
    }

    /// Soft and hard alike, so that the job cannot raise it; a lower hard limit that is already there stays.
    func set(_ value: UInt64) throws(Failure) {
        var limit = rlimit()
        guard getrlimit(kind, &limit) == 0 else { throw Failure("read the limit \"\(rawValue)\"") }
        let bounded = rlim_t(min(value, UInt64(limit.rlim_max)))
        limit = rlimit(rlim_cur: bounded, rlim_max: bounded)
        guard setrlimit(kind, &limit) == 0 else { throw Failure("set the limit \"\(rawValue)\" to \(value)") }
    }
}
