import Glibc
import Tensors

/// What has to be settled before the program does anything: which build of it runs, for this processor, and which
/// kernels the linear algebra library chooses, which it does while it is loaded, before `main`.
package enum BLASStart {
    /// Starts the best build of this program that lies beside it, with the library's settings in its environment, if
    /// that is not what runs already. Nothing may have happened before that would happen twice.
    ///
    /// - Returns: when all is set, or, with a warning, when the system does not let a program start itself anew.
    package static func restartIfNeeded() -> String? {
        var present: [String: String] = [:]
        for name in ["OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS"] { present[name] = environment(name) }
        let missing = OpenBLAS.missingSettings(in: present)
        // By its name, so that process lists show it; by the link, should the file have been replaced.
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let length = readlink("/proc/self/exe", &buffer, Int(PATH_MAX))
        let own =
            length > 0 ? String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
        let better = own.flatMap { BuildVariant.better(than: $0, wanted: environment("MLTRAIN_CPU")) }
        if missing.isEmpty, better == nil { return nil }
        for (name, value) in missing { setenv(name, value, 0) }
        if let better { execv(better, CommandLine.unsafeArgv) }
        if missing.isEmpty { return nil }
        if let own { execv(own, CommandLine.unsafeArgv) }
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
