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
            systemMicroseconds: 0, startedAt: 0, endedAt: 1)
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
        #expect(killed.cause == "killed by SIGKILL (not sent by mld): Traceback")
        let late = outcome(record(.timeLimit, signal: 15))
        #expect(late.state == .timedOut)
        #expect(late.cause == "stopped after its time limit of 1 min 30 s; ask for more with [resources] time")
        let never = outcome(record(.couldNotStart, status: 127))
        #expect(never.state == .failed)
        #expect(
            never.cause == "could not start: no such file; is it installed, and is its directory in the job's PATH?")
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

    @Test func wantOfMemorySaysHowMuchAndWhere() {
        var record = record(.outOfMemory, signal: 9)
        record.memoryLimitBytes = 2 << 30
        record.memoryPeakBytes = Int64(2.1 * Double(1 << 30))
        let progress = Progress(epoch: 3, step: 812)
        func cause(_ progress: Progress?) -> String {
            Outcome(record: record, cancelledBy: nil, timeLimit: nil, lastWords: nil, progress: progress).cause
        }
        #expect(
            cause(progress)
                == "killed: used 2.1 of 2.0 GiB at step 812 of epoch 3; ask for more with [resources] memory")
        #expect(cause(nil) == "killed: used 2.1 of 2.0 GiB; ask for more with [resources] memory")
        record.memoryPeakBytes = nil
        #expect(cause(nil) == "killed: used more than its 2 GiB of memory; ask for more with [resources] memory")
        #expect(outcome(record).state == .outOfMemory)
        #expect(outcome(record, cancelledBy: "ada").state == .cancelled)
    }

    @Test func theLimitOfTimeSaysHowFarItWas() {
        let outcome = Outcome(
            record: record(.timeLimit, signal: 15), cancelledBy: nil, timeLimit: 3600, lastWords: nil,
            progress: Progress(epoch: 2))
        #expect(outcome.cause == "stopped after its time limit of 1 h in epoch 2; ask for more with [resources] time")
    }

    @Test(arguments: [
        (Int32(126), "exited with status 126 (a command that is there could not be executed): Traceback"),
        (127, "exited with status 127 (a command was not found): Traceback"),
        (
            139,
            "exited with status 139 (as a shell reports a command killed by SIGSEGV (invalid memory access)): Traceback"
        ),
        (200, "exited with status 200: Traceback"),
    ])
    func statusesThatMeanSomethingSayIt(status: Int32, cause: String) {
        #expect(outcome(record(.exited, status: status)).cause == cause)
    }

    /// Nobody else is to blame for it, and it would come to the same again.
    @Test func whoDiesOfItsOwnWarningRanIntoItsLimit() {
        var killed = record(.signalled, signal: 15)
        killed.warnSignal = 15
        var shell = record(.exited, status: 143)
        shell.warnSignal = 15
        for record in [killed, shell] {
            #expect(outcome(record).state == .timedOut)
            #expect(
                outcome(record).cause
                    == "ended by SIGTERM, sent as it asked (warn-signal) before its time limit of 1 min 30 s; handle the signal, or ask for more with [resources] time"
            )
            #expect(outcome(record, cancelledBy: "ada").state == .cancelled)
            #expect(!record.isEndedByTerm)
        }
        killed.warnSignal = 10
        #expect(outcome(killed).cause == "killed by SIGTERM (not sent by mld): Traceback")
    }

    @Test func outputThatWasLostIsToldOf() {
        var record = record(.exited, status: 0)
        record.outputLostBytes = 3 << 20
        let outcome = outcome(record)
        #expect(outcome.state == .succeeded)
        #expect(
            outcome.cause
                == "exited with status 0; 3 MiB of its output could not be written, most likely for a full disk")
    }
}
