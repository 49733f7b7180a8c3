import Glibc
import TestSupport

/// A trace in the Standard Workload Format of jobs nobody had: as many as one likes, on a machine of 1,024 processors.
enum MadeTrace {
    static let processors = 1024

    /// Arrivals are random (Poisson), run times log-normal about half an hour, limits one to five times as long, and the
    /// machine would be nine tenths busy if nothing stood in the way.
    static func text(jobs: Int, seed: UInt64) -> String {
        var random = Seeded(seed)
        var text = "; MaxProcs: \(processors)\n; UnixStartTime: 1700000000\n"
        text.reserveCapacity(jobs * 64)
        var time = 0.0
        for number in 1...jobs {
            let size = 1 << Int.random(in: 0...6, using: &random)
            let normal =
                sqrt(-2 * log(Double.random(in: .leastNonzeroMagnitude...1, using: &random)))
                * cos(2 * .pi * Double.random(in: 0...1, using: &random))
            let run = min(max(1, Int(1800 * exp(normal))), 86_400)
            let limit = Int(Double(run) * Double.random(in: 1...5, using: &random)) + 60
            let user = Int.random(in: 1...200, using: &random)
            // The mean of exp(normal) is exp(1/2), and of the sizes 127/7.
            let gap = 1800 * exp(0.5) * (127.0 / 7) / (0.9 * Double(processors))
            time -= gap * log(Double.random(in: .leastNonzeroMagnitude...1, using: &random))
            text +=
                "\(number) \(Int(time)) -1 \(run) \(size) -1 -1 \(size) \(limit) -1 1 \(user) \(user % 20 + 1) -1 1 1 -1 -1\n"
        }
        return text
    }
}
