import Glibc
import LinuxSystem
import TestSupport

/// A directory that shows a synthetic machine as the kernel would: RAPL's counter, the machine's CPU time and each job's.
/// Removed with the object.
final class KernelTree {
    let directory: String
    private let energy: CounterFile
    private let stat: CounterFile
    private let own: CounterFile
    private var jobs: [CounterFile] = []
    private let cpus: Int
    private var random: Seeded
    /// The counter's value at the machine's start, in its own units, so that some wrap.
    private let offset: Double
    /// When in each millisecond the counter renews, as a part of it.
    private let renewal: Double
    private var lastJobCPU: [UInt64]

    /// RAPL counts in 2^-14 J, 61 µJ, in 32 bits (Intel SDM, volume 3B, 15.10.1 and 15.10.3).
    private static let unitsPerJoule = 16384.0
    private static let counterSize = 4_294_967_296.0
    /// The kernel adds running time to a cgroup at each of its own ticks, 250 times a second.
    private static let kernelTick = 0.004

    init(for machine: SyntheticMachine, seed: UInt64) throws {
        random = Seeded(seed)
        cpus = machine.hardware.cpus
        offset = (random.uniform(0...1) * Self.counterSize).rounded(.down)
        renewal = random.uniform(0...1)
        lastJobCPU = machine.jobs.map { _ in 0 }
        // A file system in memory, where there is one: tens of millions of small writes.
        let base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        directory = base + "/mld-attribution-\(getpid())-\(seed)"
        let zone = directory + "/sys/class/powercap/intel-rapl:0"
        try Self.makeDirectories(zone)
        try Self.makeDirectories(directory + "/proc/self")
        try CounterFile(zone + "/name").write("package-0\n")
        try CounterFile(zone + "/max_energy_range_uj")
            .write("\(UInt64((Self.counterSize - 1) * 1e6 / Self.unitsPerJoule))\n")
        energy = try CounterFile(zone + "/energy_uj")
        stat = try CounterFile(directory + "/proc/stat")
        own = try CounterFile(directory + "/proc/self/stat")
        for job in machine.jobs {
            let cgroup = cgroup(of: job.id).path
            try Self.makeDirectories(cgroup)
            jobs.append(try CounterFile(cgroup + "/cpu.stat"))
        }
    }

    deinit { Self.removeAll(directory) }

    var roots: SystemRoots {
        SystemRoots(sysfs: directory + "/sys", procfs: directory + "/proc", cgroupfs: directory + "/cgroup")
    }

    func cgroup(of job: Int64) -> Cgroup { Cgroup(path: directory + "/cgroup/job-\(job)") }

    /// Writes every counter as it stands at the machine's present moment.
    func show(_ machine: SyntheticMachine) throws {
        let sinceRenewal = (machine.seconds * 1000 - renewal) - (machine.seconds * 1000 - renewal).rounded(.down)
        let joules = max(0, machine.joules - machine.watts * sinceRenewal / 1000)
        let units = (offset + joules * Self.unitsPerJoule).rounded(.down)
        let counter = units - (units / Self.counterSize).rounded(.down) * Self.counterSize
        try energy.write("\(UInt64(counter * 1e6 / Self.unitsPerJoule))\n")

        let busy = UInt64(machine.cpuSeconds * 100)
        let idle = UInt64(max(0, machine.seconds * Double(cpus) - machine.cpuSeconds) * 100)
        var text = "cpu  \(busy) 0 0 \(idle) 0 0 0 0 0 0\n"
        for cpu in 0..<cpus { text += "cpu\(cpu) 0 0 0 0 0 0 0 0 0 0\n" }
        try stat.write(text)
        try own.write("1 (mld) S 1 1 1 0 -1 0 0 0 0 0 \(UInt64(machine.daemon.cpuSeconds * 100)) 0 0 0\n")
        for (index, job) in machine.jobs.enumerated() where machine.seconds >= job.start {
            let used = machine.active[index].cpuSeconds
            // Each busy core lags by half a tick on average; nothing lags once the job's processes have ended.
            let running = machine.seconds < job.end ? machine.busyCores[index] : 0
            let lag = Self.kernelTick * (running / 2 + (running / 12).squareRoot() * random.normal())
            let shown = max(lastJobCPU[index], UInt64(max(0, used - max(0, lag)) * 1e6))
            lastJobCPU[index] = shown
            try jobs[index].write("usage_usec \(shown)\nuser_usec \(shown)\nsystem_usec 0\n")
        }
    }

    private static func makeDirectories(_ path: String) throws {
        var at = ""
        for part in path.split(separator: "/") {
            at += "/" + part
            guard mkdir(at, 0o755) == 0 || errno == EEXIST else { throw LinuxError("mkdir", path: at) }
        }
    }

    private static func removeAll(_ path: String) {
        for name in (try? SystemFile.names(in: path)) ?? [] { removeAll(path + "/" + name) }
        remove(path)
    }
}

/// A small file that is kept open and written anew.
private final class CounterFile {
    private let descriptor: Descriptor
    private let path: String

    init(_ path: String) throws {
        self.path = path
        descriptor = try Descriptor.open(path, O_RDWR | O_CREAT, mode: 0o644)
    }

    func write(_ text: String) throws {
        var text = text
        let written = text.withUTF8 { bytes in
            pwrite(descriptor.raw, bytes.baseAddress, bytes.count, 0) == bytes.count
                && ftruncate(descriptor.raw, bytes.count) == 0
        }
        guard written else { throw LinuxError("write", path: path) }
    }
}
