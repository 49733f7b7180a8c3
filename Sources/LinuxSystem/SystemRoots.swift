/// Where the kernel's file systems are. Each can be replaced on its own by a directory that presents other hardware.
///
/// A reader takes what a given tree lacks as absent hardware; it never falls back to the real one.
package struct SystemRoots: Sendable, Hashable {
    package var sysfs: String
    package var procfs: String
    package var cgroupfs: String
    /// NVIDIA's management library; nil for none, which is what a tree of other hardware has unless it is told.
    package var nvml: String?
    /// The program that asks the board's management controller: a path, or a name to look for where the system keeps its
    /// programs. Nil for none, by the same rule.
    package var ipmitool: String?

    package init(
        sysfs: String = "/sys", procfs: String = "/proc", cgroupfs: String = "/sys/fs/cgroup", nvml: String? = nil,
        ipmitool: String? = nil
    ) {
        self.sysfs = sysfs
        self.procfs = procfs
        self.cgroupfs = cgroupfs
        let isReal = sysfs == Self.kernelSysfs
        self.nvml = nvml ?? (isReal ? "libnvidia-ml.so.1" : nil)
        self.ipmitool = ipmitool ?? (isReal ? "ipmitool" : nil)
    }

    private static let kernelSysfs = "/sys"

    /// Whether `sysfs` is the kernel's own: only then may a reader ask this machine's hardware by other ways than files.
    package var showsThisMachine: Bool { sysfs == Self.kernelSysfs }
}
