import Foundation
import Glibc
import Synchronization
import Testing

@testable import LinuxSystem

/// Programs that hang, print without end or are in the way, run by a thread that must end at once.
@Suite(.timeLimit(.minutes(1)))
struct BoundedProgramTests {
    /// What a program came to, by the thread that runs it.
    private final class Outcome: Sendable {
        let texts = Mutex<[String]>([])

        /// The first, once it is there.
        func first() async throws -> String {
            while true {
                if let text = texts.withLock({ $0.first }) { return text }
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    private struct Running: BackgroundWork {
        var program: BoundedProgram
        let outcome: Outcome

        mutating func run(until stop: BackgroundLoop.Stop) {
            let text: String
            do throws(LinuxError) {
                let output = try program.run(until: stop)
                text = "\(output.status) \(output.text)"
            } catch { text = error.message }
            outcome.texts.withLock { $0.append(text) }
        }
    }

    private func start(
        _ script: String, patience: Double = 60, pause: Double = 60, limit: Int = 65536
    ) throws -> (BackgroundLoop, Outcome) {
        let outcome = Outcome()
        let program = BoundedProgram("/bin/sh", arguments: ["-c", script], patience: patience, limit: limit)
        return (try BackgroundLoop(pause: pause, Running(program: program, outcome: outcome)), outcome)
    }

    @Test func theOutputAndTheStatusComeBack() async throws {
        let (loop, outcome) = try start(
            "echo out; echo err >&2; cat; env | grep -v -e PWD -e SHLVL -e '^_=' | sort; exit 3")
        #expect(try await outcome.first() == "768 out\nerr\nLC_ALL=C\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n")
        _ = loop
    }

    @Test func aProgramThatHangsIsKilledWithWhatItStarted() async throws {
        let file = "/tmp/mld-bounded-\(UInt64.random(in: 0 ... .max))"
        defer { unlink(file) }
        let (loop, outcome) = try start("echo $$ > \(file); sleep 1000 & echo $! >> \(file); wait", patience: 0.5)
        #expect(try await outcome.first() == "no answer within 1 s: killed")
        let pids = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").compactMap { Int32($0) }
        #expect(pids.count == 2)
        // The second is reaped by whoever inherits it.
        for pid in pids { try await hasEnded(pid) }
        _ = loop
    }

    @Test func aProgramThatClosesItsOutputAndStaysIsKilled() async throws {
        let (loop, outcome) = try start("exec >&- 2>&-; exec sleep 1000", patience: 0.2)
        #expect(try await outcome.first() == "no answer within 1 s: killed")
        _ = loop
    }

    @Test func outputWithoutEndIsCut() async throws {
        let (loop, outcome) = try start("exec cat /dev/zero", limit: 10_000)
        #expect(try await outcome.first() == "printed more than 10000 bytes: killed")
        _ = loop
    }

    @Test func aProgramThatLeavesAnotherBehindHasEnded() async throws {
        let (loop, outcome) = try start("sleep 1000 & echo done")
        #expect(try await outcome.first() == "0 done\n")
        _ = loop
    }

    @Test func droppingTheLoopEndsTheProgram() async throws {
        let file = "/tmp/mld-bounded-\(UInt64.random(in: 0 ... .max))"
        defer { unlink(file) }
        var loop: BackgroundLoop?
        let outcome: Outcome
        (loop, outcome) = try start("echo $$ > \(file).new; mv \(file).new \(file); exec sleep 1000")
        while access(file, F_OK) != 0 { try await Task.sleep(for: .milliseconds(2)) }
        let pid = try #require(Int32(try String(contentsOfFile: file, encoding: .utf8).dropLast()))
        #expect(kill(pid, 0) == 0 && loop != nil)
        loop = nil
        #expect(kill(pid, 0) != 0, "killed and reaped when the owner has let go")
        #expect(outcome.texts.withLock { $0 } == ["stopped"])
    }

    @Test func aProgramThatIsNotThereIsAnError() async throws {
        let outcome = Outcome()
        let program = BoundedProgram("/no/such/program", arguments: [], patience: 60)
        let loop = try BackgroundLoop(pause: 60, Running(program: program, outcome: outcome))
        #expect(try await outcome.first() == "No such file or directory")
        _ = loop
    }

    @Test func theLoopGoesRound() async throws {
        let (loop, outcome) = try start("echo again", pause: 0)
        while outcome.texts.withLock({ $0.count }) < 3 { try await Task.sleep(for: .milliseconds(2)) }
        #expect(outcome.texts.withLock { $0.prefix(3) } == ["0 again\n", "0 again\n", "0 again\n"])
        _ = loop
    }

    @Test func aLoopThatWasStoppedGoesRoundNoMore() async throws {
        let (loop, outcome) = try start("echo again", pause: 0)
        _ = try await outcome.first()
        loop.stop()
        loop.stop()
        var count = -1
        // Until the thread has come to its end: at most one round was still under way.
        while count != outcome.texts.withLock({ $0.count }) {
            count = outcome.texts.withLock { $0.count }
            try await Task.sleep(for: .milliseconds(50))
        }
        _ = loop
    }

    /// Gone, or dead and waiting for its parent.
    private func hasEnded(_ pid: Int32) async throws {
        while let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8), !stat.contains(") Z ") {
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
