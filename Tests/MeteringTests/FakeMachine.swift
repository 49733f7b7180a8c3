import FoundationEssentials
import Glibc
import LinuxSystem
import Metering
import Testing
import Units

/// A tree of files that stands in for `/sys` and `/proc`, and a clock, both moved by hand. Removed with the object.
final class FakeMachine {
    let directory: String
    var seconds = 0.0
    var wallOffset = 0.0

    init() throws {
        directory = temporaryDirectory() + "/mld-meter-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory + "/proc", withIntermediateDirectories: true)
    }

    /// A machine with processors and 8 GiB of memory, but no meter.
    convenience init(cpus: Int, cpuinfo: String) throws {
        try self.init()
        try write("proc/cpuinfo", cpuinfo)
        let lines = (0..<cpus).map { "cpu\($0) 0 0 0 0\n" }.joined()
        try write("proc/stat", "cpu  0 0 0 0 0 0 0 0 0 0\n" + lines)
        try write("proc/meminfo", "MemTotal:       8388608 kB\nMemFree: 1 kB\n")
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    var roots: SystemRoots {
        SystemRoots(sysfs: directory + "/sys", procfs: directory + "/proc", cgroupfs: directory + "/cgroup")
    }

    func write(_ path: String, _ text: String) throws {
        let full = directory + "/" + path
        let parent = full.split(separator: "/").dropLast().joined(separator: "/")
        try FileManager.default.createDirectory(atPath: "/" + parent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: full))
    }

    func remove(_ path: String) throws {
        try FileManager.default.removeItem(atPath: directory + "/" + path)
    }

    /// A powercap zone side by side with the others, as in sysfs. Energy and range in µJ.
    func zone(
        _ zone: String, name: String, energy: UInt64, range: UInt64? = 262_143_328_850, maximum: UInt64? = nil
    ) throws {
        let path = "sys/class/powercap/\(zone)/"
        try write(path + "name", name + "\n")
        try write(path + "energy_uj", "\(energy)\n")
        if let range { try write(path + "max_energy_range_uj", "\(range)\n") }
        if let maximum { try write(path + "constraint_0_max_power_uw", "\(maximum)\n") }
    }

    func energy(_ zone: String, _ microjoules: UInt64) throws {
        try write("sys/class/powercap/\(zone)/energy_uj", "\(microjoules)\n")
    }

    /// The processor's energy events, read on the CPUs of `mask`, with all counts at zero.
    func perf(_ events: String..., mask: String = "0") throws {
        let path = "sys/bus/event_source/devices/power/"
        try write(path + "type", "22\n")
        try write(path + "cpumask", mask + "\n")
        for event in events {
            try write(path + "events/" + event, "event=0x0\(events.count)\n")
            try write(path + "events/\(event).unit", "Joules\n")
            try write(path + "events/\(event).scale", "2.3283064365386962890625e-10\n")
        }
    }

    /// Lets an event have counted so many joules since it was opened: 2^32 counts each.
    func count(_ event: String, cpu: Int = 0, joules: Double) throws {
        try write(
            "sys/bus/event_source/devices/power/counters/\(event)@\(cpu)", "\(UInt64(joules * 4_294_967_296))\n")
    }

    /// A chip of hardware sensors with its files, such as `power1_average`, in µW or µJ.
    func chip(_ number: Int, _ driver: String, address: String? = nil, _ files: [String: String]) throws {
        let path = "sys/class/hwmon/hwmon\(number)/"
        try write(path + "name", driver + "\n")
        if let address { try write(path + "device/uevent", "DRIVER=\(driver)\nPCI_SLOT_NAME=\(address)\n") }
        for (file, text) in files { try write(path + file, text + "\n") }
    }

    func sensor(_ number: Int, _ file: String, _ value: Int) throws {
        try write("sys/class/hwmon/hwmon\(number)/\(file)", "\(value)\n")
    }

    /// Moves the clock and reads all meters.
    func tick(
        _ meters: inout MeterSet, after interval: Double = 1, load: MachineLoad? = nil
    ) -> [String: DomainSample] {
        seconds += interval
        let samples = meters.sample(
            at: Timestamp(seconds: 1_700_000_000 + seconds + wallOffset),
            monotonicNanoseconds: Int64(seconds * 1e9), load: load)
        return Dictionary(uniqueKeysWithValues: samples.map { ($0.domain, $0) })
    }

    /// The meters of this machine with their baselines taken.
    func meters(calibration: Calibration? = nil) -> MeterSet {
        var meters = MeterSet(discovering: roots, calibration: calibration)
        #expect(tick(&meters).isEmpty, "the first reading has no interval")
        return meters
    }
}

private func temporaryDirectory() -> String {
    FileManager.default.temporaryDirectory.path(percentEncoded: false)
}

/// Runs `body` with the file permissions of a user who owns nothing. Root may read every file, so it takes on that user's
/// name for files, on this thread only: setfsuid(2), which Swift's Glibc does not show.
func asAnotherUser<Result>(_ body: () throws -> Result) throws -> Result {
    guard geteuid() == 0 else { return try body() }
    let library = try DynamicLibrary("libc.so.6")
    let become = try #require(library.function("setfsuid", as: (@convention(c) (uid_t) -> Int32).self))
    _ = become(65534)
    defer { _ = become(0) }
    return try body()
}

extension DomainSample {
    /// Joules of a reading, nil for a gap.
    var joules: Double? { energy?.energy.joules }
}

extension MachineLoad {
    /// One second of a machine with so many CPUs' time used and stolen.
    init(busy: Double, steal: Double = 0, cpus: Int = 4) {
        self.init(busySeconds: busy, idleSeconds: Double(cpus) - busy - steal, stealSeconds: steal, cpus: cpus)
    }
}
