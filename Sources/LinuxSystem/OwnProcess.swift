import CLinux
import Glibc

/// What this process may use, and gives back.
package enum OwnProcess {
    /// Allows as many descriptors as the hard limit does: each job and each client needs some.
    /// - Returns: the limit in force.
    @discardableResult
    package static func raiseDescriptorLimit() -> UInt64 {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        limit.rlim_cur = limit.rlim_max
        // Where it is refused the old limit holds.
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        _ = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return UInt64(limit.rlim_cur)
    }

    /// Keeps the heap in one piece: a daemon of few threads gains nothing from more, and they keep what they once held.
    /// Call first of all.
    package static func keepHeapSmall() { mld_limit_arenas(1) }

    /// Gives freed memory back to the kernel.
    package static func releaseMemory() { mld_release_memory() }
}
