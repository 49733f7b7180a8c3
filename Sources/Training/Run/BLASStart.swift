import Glibc
import Tensors

/// Gets the linear algebra library to run the right kernels, which it chooses while it is loaded, before `main`.
package enum BLASStart {
    /// Starts this program anew with the settings in its environment, if some are missing. Nothing may have happened
    /// before that would happen twice.
    ///
    /// - Returns: when all is set, or, with a warning, when the system does not let a program start itself anew.
    package static func restartIfNeeded() -> String? {
        var present: [String: String] = [:]
        for name in ["OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS"] { present[name] = environment(name) }
        let missing = OpenBLAS.missingSettings(in: present)
        if missing.isEmpty { return nil }
        for (name, value) in missing { setenv(name, value, 0) }
        // By its name, so that process lists show it; by the link, should the file have been replaced.
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        if readlink("/proc/self/exe", &buffer, Int(PATH_MAX)) > 0 { execv(&buffer, CommandLine.unsafeArgv) }
        execv("/proc/self/exe", CommandLine.unsafeArgv)
        return "cannot start anew to set \(missing.map(\.name).joined(separator: " and ")): "
            + "\(String(cString: strerror(errno))); OpenBLAS chose its kernels itself and may be slow"
    }

    /// The kernels chosen where nobody else has chosen any.
    package static var preferred: String? { OpenBLAS.preferredCoreType }

    /// Compares OpenBLAS with plain arithmetic.
    package static func selfTest() throws(TrainingError) {
        do { try OpenBLAS.selfTest() } catch { throw TrainingError(.start, error.message) }
    }
}
