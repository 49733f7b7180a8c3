import JobAPI
import Ledger
import LinuxSystem
import Logging
import ServiceLifecycle

/// Tells the log of each transition of a job, in the order in which they were written down, so that a job's story can be read in the
/// journal. It follows the ledger: what stands there has happened, and nothing of it is left out, whichever daemon wrote it.
actor TransitionTeller: Service {
    private let ledger: Ledger
    private let logger: Logger
    /// The last one that was told.
    private var told: Int64
    private let mark: ToldMark
    private var isMarkKept = true

    /// - Parameter mark: how far earlier daemons came. Without one the story begins with what is written from now on.
    init(ledger: Ledger, mark: ToldMark, logger: Logger) async throws {
        self.ledger = ledger
        self.mark = mark
        self.logger = logger
        let last = try await ledger.lastTransition()
        told = last
        // One whose file was written over has fewer.
        do throws(LinuxError) { told = min(try mark.read() ?? last, last) } catch { complain(error) }
        keepMark()
    }

    func run() async throws {
        let written = ledger.transitionsWritten()
        await cancelWhenGracefulShutdown {
            // Those from before it listened.
            await self.tellRest()
            for await _ in written {
                await self.tellRest()
                // Several at once cost one question; nobody reads them as they come.
                guard (try? await Task.sleep(for: .milliseconds(50))) != nil else { return }
            }
        }
    }

    /// Tells what is written and not told yet.
    func tellRest() async {
        do {
            while true {
                let next = try await ledger.transitions(after: told)
                guard let last = next.last else { return }
                for transition in next where transition.number > told { tell(transition) }
                told = max(told, last.number)
                keepMark()
            }
        } catch {
            // What is left is told at the end of the stop.
            guard !Task.isCancelled else { return }
            logger.error("cannot tell what became of jobs: \(error)")
        }
    }

    private func keepMark() {
        do throws(LinuxError) {
            try mark.write(told)
            isMarkKept = true
        } catch {
            complain(error)
        }
    }

    /// Once, for it would be with every job.
    private func complain(_ error: LinuxError) {
        if isMarkKept { logger.warning("cannot keep how far the journal was told of jobs: \(error)") }
        isMarkKept = false
    }

    private func tell(_ transition: ToldTransition) {
        let isBad = [.failed, .timedOut, .outOfMemory, .lost].contains(transition.to)
        logger.log(
            level: isBad ? .notice : .info, "\(transition.to.rawValue): \(transition.cause)",
            metadata: [
                "event": "\(transition.to.rawValue)", "job": "\(transition.job)", "user": "\(transition.user)",
                "attempt": "\(transition.attempt)",
            ])
    }
}
