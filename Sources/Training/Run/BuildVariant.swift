import Glibc
import Tensors

/// The builds of mltrain for one family of processors each, which `scripts/build` puts beside the one for all:
/// `mltrain-haswell` and `mltrain-skylake-avx512`.
enum BuildVariant {
    /// The path of the build to run instead of the one at `own`; nil if there is none better.
    ///
    /// - Parameter wanted: a build asked for by name, `baseline` for the one for all; nil for the best.
    static func better(than own: String, wanted: String?) -> String? {
        // Only the build for all chooses; the others are what was chosen.
        guard Processor.builtFor == .baseline, wanted != "baseline" else { return nil }
        for variant in Processor.Variant.allCases.reversed() where variant != .baseline && variant.runsHere {
            if let wanted, wanted != variant.rawValue { continue }
            let path = own + "-" + variant.rawValue
            if access(path, X_OK) == 0 { return path }
        }
        return nil
    }
}
