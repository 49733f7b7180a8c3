import ArgumentParser
import Glibc
import Training

// First of all, since the library that multiplies matrices has chosen its kernels before this line.
if let warning = BLASStart.restartIfNeeded() { complain(warning) }

do {
    var command = try MLTrain.parseAsRoot()
    try command.run()
} catch {
    let status = MLTrain.exitCode(for: error)
    if status.isSuccess { MLTrain.exit(withError: error) }
    if error is ExitCode { exit(status.rawValue) }
    let text = MLTrain.fullMessage(for: error)
    if !text.isEmpty { complain(text) }
    // 2 for a wrong use, as all programs of this project.
    exit(status == .validationFailure ? 2 : status.rawValue)
}
