/// Which devices a job can be given at all.
///
/// Compared by name here. The sandbox looks again at the device itself: at its number, and that it is no disk.
enum DevicePath {
    /// Memory, the kernel's log, disks, meters, virtual machines, terminals, input. An entry stands for itself, for what
    /// lies below it, and for the names drivers make of it: `sd` for `sda1`, `loop` for `loop-control`.
    static let never = [
        // Memory, ports, registers and the kernel's log.
        "mem", "kmem", "port", "kmsg", "cpu", "nvram", "mcelog", "hpet", "oldmem", "vmcore",
        // Disks, by their drivers and by the tools over them.
        "sd", "hd", "vd", "xvd", "nvme", "dm-", "loop", "md", "sr", "sg", "st", "nst", "mmcblk", "nbd", "zram", "ram",
        "rbd", "bcache", "mtd", "ubi", "pmem", "dax", "mapper", "disk", "block", "bsg", "btrfs-control", "fd0", "root",
        "bus", "usb", "raw", "zfs", "drbd", "vg",
        // Power meters, and the buses they hang on.
        "ipmi", "i2c-", "spidev", "gpiochip", "hwmon",
        // Virtual machines, networks and file systems.
        "kvm", "vhost-", "vsock", "vfio", "iommu", "net", "fuse", "cuse", "vmci", "sev", "sgx", "userfaultfd", "vduse",
        // People's terminals and hands.
        "tty", "console", "vcs", "hidraw", "hiddev", "input", "uinput", "uhid", "snapshot", "autofs",
        // Watchdogs and clocks.
        "watchdog", "rtc", "ptp", "pps",
        // Directories that the sandbox makes itself.
        "pts", "ptmx", "shm", "mqueue", "hugepages", "fd", "stdin", "stdout", "stderr", "log", "initctl",
    ]

    /// `path` is `/dev/...`, without `.` and `..`.
    static func isNever(_ path: String) -> Bool {
        guard let name = path.split(separator: "/").dropFirst().first else { return true }
        return never.contains { entry in
            guard name.hasPrefix(entry) else { return false }
            let rest = name.dropFirst(entry.count)
            if rest.isEmpty || entry.hasSuffix("-") || rest.hasPrefix("-") { return true }
            // "sdb", "sda1" and "nvme0n1" are of the family; "netmap" is none of "net".
            return rest.utf8.contains { (0x30...0x39).contains($0) } || (rest.utf8.count <= 2 && entry.utf8.count <= 3)
        }
    }

    /// Whether `path` is an absolute path below `/dev`.
    static func isBelowDev(_ path: String) -> Bool {
        guard let normal = NormalPath(path) else { return false }
        return normal.components.count > 1 && normal.isInside("/dev") && !path.split(separator: "/").contains(".")
    }
}
