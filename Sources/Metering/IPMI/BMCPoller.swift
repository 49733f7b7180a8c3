import LinuxSystem
import Synchronization

/// Asks the BMC over and over, away from whoever reads the meters: an answer takes from 50 ms to seconds.
///
/// Dropping it ends its thread, and the program if one runs.
final class BMCPoller: Sendable {
    /// An answer and when it came, in seconds by the monotonic clock.
    typealias Arrival = (answer: BMCAnswer, at: Double)

    private final class Inbox: Sendable {
        let arrivals = Mutex<[Arrival]>([])
    }

    private struct Asking: BackgroundWork {
        var program: BoundedProgram
        let inbox: Inbox

        mutating func run(until stop: BackgroundLoop.Stop) {
            let answer: BMCAnswer
            do throws(LinuxError) { answer = BMCAnswer(try program.run(until: stop)) } catch {
                answer = .failed("ipmitool: \(error.message)")
            }
            let now = BMCPoller.now()
            inbox.arrivals.withLock { arrivals in
                arrivals.append((answer, now))
                // Nobody has looked for minutes: the oldest are of no use.
                if arrivals.count > 64 { arrivals.removeFirst() }
            }
        }
    }

    private let inbox: Inbox
    private let loop: BackgroundLoop

    /// - Parameters:
    ///   - program: the path of `ipmitool`.
    ///   - pause: seconds between an answer and the next question.
    ///   - patience: seconds after which a program that gives no answer is killed.
    init(program: String, pause: Double, patience: Double) throws(LinuxError) {
        inbox = Inbox()
        let program = BoundedProgram(program, arguments: ["dcmi", "power", "reading"], patience: patience)
        loop = try BackgroundLoop(pause: pause, Asking(program: program, inbox: inbox))
    }

    /// Ends asking, without waiting for a program that runs.
    func stop() { loop.stop() }

    /// What came since the call before, in order.
    func take() -> [Arrival] {
        inbox.arrivals.withLock { arrivals in
            defer { arrivals = [] }
            return arrivals
        }
    }

    static func now() -> Double { Double(SystemClock.monotonicNanoseconds()) / 1e9 }
}
