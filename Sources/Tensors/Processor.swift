import CKernels
import CLinux

/// The processors this process may use, and how they treat small numbers.
package enum Processor {
    /// CPUs in the affinity mask: what a container or a job's cgroup leaves of the machine.
    package static var usableCount: Int { max(Int(mld_usable_cpus()), 1) }

    /// Bytes that the program holds from the C library's allocator: how the tests see that a step keeps nothing.
    package static var heapInUse: Int { Int(mld_heap_in_use()) }

    /// Runs `body` with denormal numbers treated as zero on this thread.
    package static func flushingDenormals<T, E: Error>(_ body: () throws(E) -> T) throws(E) -> T {
        let mode = mld_flush_denormals()
        defer { mld_restore_float_mode(mode) }
        return try body()
    }
}
