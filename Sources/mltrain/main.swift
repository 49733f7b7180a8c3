import ArgumentParser
import Glibc
import Training

// First of all, since the library that multiplies matrices has chosen its kernels before this line.
if let warning = BLASStart.restartIfNeeded() { complain(warning) }

/// Ends the program without the libraries' own clean-up: OpenBLAS waits there for threads that, where memory is short, may
/// never come.
func leave(_ status: Int32) -> Never {
    // Results that were printed and did not arrive are none.
    if fflush(nil) != 0, status == 0 {
        complain("mltrain: cannot write the output: \(String(cString: strerror(errno)))")
        _exit(1)
    }
    _exit(status)
}

do {
    var command = try MLTrain.parseAsRoot()
    try command.run()
    leave(0)
} catch {
    let status = MLTrain.exitCode(for: error)
    if status.isSuccess { MLTrain.exit(withError: error) }
    if error is ExitCode { leave(status.rawValue) }
    let text = MLTrain.fullMessage(for: error)
    if !text.isEmpty { complain(text) }
    // 2 for a wrong use, as all programs of this project.
    leave(status == .validationFailure ? 2 : status.rawValue)
}
