import CSeccomp
import Glibc

/// A seccomp filter that refuses what no computing job needs and what opens the kernel, the machine or other processes.
struct SyscallFilter {
    private let context: scmp_filter_ctx
    /// How many system calls are refused, wholly or for some arguments.
    private(set) var refusedCalls = 0

    /// Calls that fail with EPERM whatever their arguments. A name this libseccomp does not know is left out: it cannot
    /// be named on this machine.
    static let refused = [
        // Another kernel, modules, programs in the kernel, its log.
        "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "create_module",
        "query_module",
        "get_kernel_syms", "bpf", "syslog", "lookup_dcookie", "fanotify_init", "nfsservctl", "uselib", "_sysctl",
        "sysfs",
        // Meters, and other processes' memory and descriptors.
        "perf_event_open", "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd",
        // Keys are shared between all processes of a user.
        "keyctl", "add_key", "request_key",
        // The file tree and the namespaces.
        "mount", "umount", "umount2", "pivot_root", "chroot", "open_tree", "open_tree_attr", "move_mount", "fsopen",
        "fsconfig",
        "fsmount",
        "fspick", "mount_setattr", "unshare", "setns", "open_by_handle_at", "quotactl", "quotactl_fd", "acct",
        // The machine.
        "reboot", "swapon", "swapoff", "iopl", "ioperm", "vhangup", "modify_ldt", "sethostname", "setdomainname",
        "settimeofday", "clock_settime", "clock_settime64", "clock_adjtime", "clock_adjtime64", "adjtimex", "stime",
        // Wide and young, a usual way to break out; programs fall back to older calls.
        "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
    ]

    /// Those of the refused calls that a policy may allow: of use to some programs, and no way out of a job.
    static let allowable = [
        "add_key", "keyctl", "request_key", "io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd",
        "kcmp",
        "process_madvise", "process_vm_readv", "process_vm_writev", "modify_ldt", "personality",
    ]

    /// Numbers of calls younger than a libseccomp that is still in use; the same on all architectures it is used on.
    private static let young = ["open_tree_attr": Int32(467)]

    /// - Parameters:
    ///   - more: refused besides, wholly; a name the library does not know is an error.
    ///   - allowed: not refused after all; of ``allowable``.
    static func standard(refusing more: [String] = [], allowing allowed: [String] = []) throws(Failure) -> SyscallFilter
    {
        var filter = try SyscallFilter()
        for name in more {
            guard seccomp_syscall_resolve_name(name) != unknown || young[name] != nil else {
                throw Failure(status: 126, "refuse-syscalls: this machine's libseccomp does not know \"\(name)\"")
            }
            try filter.refuse(name)
        }
        for name in refused where !allowed.contains(name) { try filter.refuse(name) }
        try filter.refuseNamespacesInClone()
        // Typing into a terminal, from behind its back. The kernel looks at 32 bits only.
        try filter.refuse("ioctl", [masked(1, mask: 0xFFFF_FFFF, equals: 0x5412)])
        try filter.refuse("ioctl", [masked(1, mask: 0xFFFF_FFFF, equals: 0x541C)])
        // A network namespace does not hold AF_VSOCK, the way to the hypervisor.
        try filter.refuse("socket", [masked(0, mask: 0xFFFF_FFFF, equals: 40)])
        if !allowed.contains("personality") { try filter.refusePersonalities() }
        return filter
    }

    /// `__NR_SCMP_ERROR`, a macro Swift does not see.
    private static let unknown: Int32 = -1

    private init() throws(Failure) {
        guard let context = seccomp_init(SCMP_ACT_ALLOW) else { throw Failure(status: 126, "make a seccomp filter") }
        self.context = context
        // 32-bit and x32 calls have other numbers, so the rules would not hold for them.
        try check(
            seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "refuse other architectures")
    }

    func load() throws(Failure) {
        try check(seccomp_load(context), "load the seccomp filter")
    }

    /// Writes the filter's instructions to a descriptor.
    func export(to descriptor: Int32) throws(Failure) {
        try check(seccomp_export_bpf(context, descriptor), "write the seccomp filter")
    }

    /// SCMP_ACT_ERRNO(x), a macro Swift does not see.
    private func failing(with code: Int32) -> UInt32 { 0x0005_0000 | UInt32(code & 0xFFFF) }

    private mutating func refuse(
        _ name: String, _ conditions: [scmp_arg_cmp] = [], with code: Int32 = EPERM
    ) throws(Failure) {
        // Refused whatever the arguments are: nothing to add.
        if whole.contains(name) { return }
        var number = seccomp_syscall_resolve_name(name)
        if number == Self.unknown { number = Self.young[name] ?? number }
        // Unknown to the library, or (a negative number) not a call of this architecture.
        guard number >= 0 else { return }
        if conditions.isEmpty { whole.insert(name) }
        let result = conditions.withUnsafeBufferPointer {
            seccomp_rule_add_array(context, failing(with: code), number, UInt32($0.count), $0.baseAddress)
        }
        try check(result, "refuse \(name)")
        if !seen.contains(name) {
            seen.insert(name)
            refusedCalls += 1
        }
    }

    private var seen: Set<String> = []
    private var whole: Set<String> = []

    private func check(_ result: Int32, _ stage: String) throws(Failure) {
        if result != 0 { throw Failure(stage, code: -result) }
    }

    /// A condition on one argument: `argument & mask == value`.
    private static func masked(_ argument: UInt32, mask: UInt64, equals value: UInt64) -> scmp_arg_cmp {
        scmp_arg_cmp(arg: argument, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value)
    }

    private mutating func refuseNamespacesInClone() throws(Failure) {
        // NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET of linux/sched.h.
        for flag: UInt64 in [
            0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
        ] {
            try refuse("clone", [Self.masked(0, mask: flag, equals: flag)])
        }
        // Its flags are in memory, where a filter cannot look; the C library falls back to clone.
        try refuse("clone3", with: ENOSYS)
    }

    /// Only the standard personality (0) and the question for the present one (all bits set) pass.
    private mutating func refusePersonalities() throws(Failure) {
        // One rule can compare an argument once, so "neither 0 nor all ones" is said bit by bit: some bit is set and the
        // highest is not, or the highest is set and some bit is not. The kernel looks at 32 bits only.
        let highest: UInt64 = 1 << 31
        for bit in 0..<31 as Range<UInt64> {
            let mask = highest | 1 << bit
            try refuse("personality", [Self.masked(0, mask: mask, equals: 1 << bit)])
            try refuse("personality", [Self.masked(0, mask: mask, equals: highest)])
        }
    }
}
