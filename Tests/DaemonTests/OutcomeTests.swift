import JobAPI
import Ledger
import Sandbox
import Testing

@testable import Daemon

/// The words for how a job ended.
@Suite struct OutcomeTests {
    private func record(_ cause: ExitRecord.Cause, status: Int32? = nil, signal: Int32? = nil) -> ExitRecord {
        ExitRecord(
            cause: cause, exitStatus: status, signal: signal, message: "no such file", userMicroseconds: 0,
            systemMicroseconds: 0, maximumResidentBytes: 0, startedAt: 0, endedAt: 1)
    }

    private func outcome(_ record: ExitRecord?, cancelledBy: String? = nil) -> Outcome {
        Outcome(record: record, cancelledBy: cancelledBy, timeLimit: 90, lastWords: "Traceback")
    }

    @Test func eachEndHasItsStateAndACauseToActOn() {
        #expect(outcome(record(.exited, status: 0)).state == .succeeded)
        let failed = outcome(record(.exited, status: 3))
        #expect(failed.state == .failed)
        #expect(failed.cause == "exited with status 3: Traceback")
        #expect(failed.end?.exitStatus == 3)
        let killed = outcome(record(.signalled, signal: 9))
        #expect(killed.state == .failed)
        #expect(killed.cause == "killed by signal 9: Traceback")
        let late = outcome(record(.timeLimit, signal: 15))
        #expect(late.state == .timedOut)
        #expect(late.cause == "stopped after its time limit of 1 min 30 s; ask for more with [resources] time")
        let never = outcome(record(.couldNotStart, status: 127))
        #expect(never.state == .failed)
        #expect(never.cause == "could not start: no such file")
    }

    @Test func aCancelledJobIsCancelledHoweverItDied() {
        for record in [record(.stopped, signal: 15), record(.signalled, signal: 9), record(.exited, status: 1), nil] {
            let outcome = outcome(record, cancelledBy: "ada")
            #expect(outcome.state == .cancelled)
            #expect(outcome.cause == "cancelled by ada")
        }
    }

    @Test func withoutARecordNothingIsInvented() {
        let outcome = outcome(nil)
        #expect(outcome.state == .failed)
        #expect(outcome.end == nil)
        #expect(outcome.cause.contains("nothing is known of its end"))
    }
}
