import Foundation
import Synchronization

/// A counter that rises by 2 J ten times a second, on a thread of its own: tests that block must not hold it up.
final class RisingCounter: Sendable {
    private let state = Mutex((steps: Int64(0), isStopped: false))

    /// Makes a package with this counter below `sysfs`, and lets it rise.
    func start(below sysfs: String) throws {
        let path = try Self.makePackage(below: sysfs)
        try "1000000\n".write(toFile: path, atomically: true, encoding: .utf8)
        Thread.detachNewThread { [self] in
            while true {
                let steps = state.withLock { state in
                    state.steps += 1
                    return state.isStopped ? nil : state.steps
                }
                guard let steps else { return }
                // A write that fails leaves the counter where it is, which the test shows.
                try? "\(1_000_000 + steps * 2_000_000)\n".write(toFile: path, atomically: true, encoding: .utf8)
                Thread.sleep(forTimeInterval: 0.1)
            }
        }
    }

    /// - Returns: by how many microjoules it rose at most.
    @discardableResult
    func stop() -> Int64 {
        state.withLock { state in
            state.isStopped = true
            return state.steps * 2_000_000
        }
    }

    /// A package whose counter stands still.
    /// - Returns: the counter's file.
    static func makePackage(below sysfs: String) throws -> String {
        let zone = sysfs + "/class/powercap/intel-rapl:0"
        try FileManager.default.createDirectory(atPath: zone, withIntermediateDirectories: true)
        for (file, text) in [("name", "package-0"), ("max_energy_range_uj", "262143328850"), ("energy_uj", "1000000")] {
            try (text + "\n").write(toFile: zone + "/" + file, atomically: true, encoding: .utf8)
        }
        return zone + "/energy_uj"
    }
}
