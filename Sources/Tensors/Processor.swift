import CKernels
import CLinux

/// The processors this process may use, and how they treat small numbers.
package enum Processor {
    /// The instruction sets a build of the training core may ask for, by the names compilers know them by.
    package enum Variant: String, CaseIterable, Sendable {
        /// Any x86-64, and other architectures.
        case baseline
        /// AVX2 and FMA.
        case haswell
        case skylakeAVX512 = "skylake-avx512"

        /// Whether this machine's processor, and its kernel, have what the build asks for.
        package var runsHere: Bool {
            let features = Int(mld_cpu_features())
            return switch self {
            case .baseline: true
            case .haswell: features & Int(mld_cpu_avx2_fma) != 0
            case .skylakeAVX512: features & Int(mld_cpu_avx512) != 0
            }
        }
    }

    /// What this build asks for.
    package static var builtFor: Variant {
        lanes == 16 ? .skylakeAVX512 : lanes == 8 ? .haswell : .baseline
    }

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
