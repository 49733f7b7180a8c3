import Foundation
import JobAPI
import Ledger
import LinuxSystem
import Logging
import Synchronization
import TestSupport
import Testing
import Units

@testable import Daemon
@testable import Ledger

/// What the journal is told of jobs.
@Suite struct JournalStoryTests {
    private func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    /// The fields of each entry that has come to the stand-in of the journal's socket.
    private func entries(_ journal: DatagramSocket) -> [[String: String]] {
        var entries: [[String: String]] = []
        while let bytes = journal.nextBytes() {
            var rest = bytes[...]
            var entry: [String: String] = [:]
            while let end = rest.firstIndex(of: 0x0A) {
                let line = rest[..<end]
                rest = rest[(end + 1)...]
                if let equals = line.firstIndex(of: UInt8(ascii: "=")) {
                    entry[text(line[..<equals])] = text(line[(equals + 1)...])
                } else {
                    // Its length in eight bytes, the value, and a line feed.
                    let length = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
                    entry[text(line)] = text(rest.dropFirst(8).prefix(length))
                    rest = rest.dropFirst(8 + length + 1)
                }
            }
            entries.append(entry)
        }
        return entries
    }

    private func logger(_ listener: DatagramSocket) throws -> Logger {
        let journal = try #require(Journal(path: listener.path))
        return Logger(label: "test", factory: { _ in JournalLogHandler(sink: .journal(journal)) })
    }

    @Test func aJobsStoryIsItsTransitionsInTheirOrder() async throws {
        let listener = try DatagramSocket()
        try await DaemonParts.with { parts in
            let before = try await parts.ledger.accept(parts.newJob())
            let teller = try await TransitionTeller(
                ledger: parts.ledger, mark: parts.toldMark(), logger: try logger(listener))
            let stored = try await parts.startedJob()
            let id = stored.record.id
            _ = try await parts.ledger.transition(id, to: .running, cause: "started", at: .now())
            _ = try await parts.ledger.transition(
                id, to: .failed, cause: "exited with status 3", at: .now(), end: JobEnd(exitStatus: 3))
            // What is rolled back did not happen.
            _ = try? await parts.ledger.write("fail") { db in
                try Ledger.insertTransition(db, id, Transition(at: .now(), from: .failed, to: .queued, cause: "never"))
                throw CancellationError()
            }
            await teller.tellRest()
            await teller.tellRest()
            let entries = entries(listener)
            #expect(entries.map { $0["MLD_EVENT"] } == ["queued", "starting", "running", "failed"])
            #expect(entries.allSatisfy { $0["MLD_JOB_ID"] == "\(id)" && $0["MLD_USER"] == "someone" })
            #expect(entries.last?["MLD_ATTEMPT"] == "1")
            #expect(entries.map { $0["PRIORITY"] } == ["6", "6", "6", "5"])
            let last = try #require(entries.last?["MESSAGE"])
            #expect(last == "failed: exited with status 3 attempt=1 job=\(id) user=someone")
            #expect(before != id)
        }
    }

    /// What a daemon that was killed had written and not told.
    @Test func theNextDaemonGoesOnWhereTheLastCameTo() async throws {
        let listener = try DatagramSocket()
        try await DaemonParts.with { parts in
            // An earlier release kept no mark: what was before is told already.
            _ = try await parts.ledger.accept(parts.newJob())
            let killed = try await TransitionTeller(
                ledger: parts.ledger, mark: parts.toldMark(), logger: try logger(listener))
            let told = try await parts.ledger.accept(parts.newJob())
            await killed.tellRest()
            #expect(entries(listener).map { $0["MLD_JOB_ID"] } == ["\(told)"])
            let untold = try await parts.ledger.accept(parts.newJob())
            let next = try await TransitionTeller(
                ledger: parts.ledger, mark: parts.toldMark(), logger: try logger(listener))
            await next.tellRest()
            #expect(entries(listener).map { $0["MLD_JOB_ID"] } == ["\(untold)"])
        }
    }

    @Test func aMarkThatIsNoneIsAsIfThereWereNone() async throws {
        try await DaemonParts.with { parts in
            let path = parts.directory + "/told"
            for text in [
                "", "00000000000000", "-000000000000000001\n", "00000000000000000x1\n",
                String(repeating: "0", count: 40),
            ] {
                try text.write(toFile: path, atomically: true, encoding: .utf8)
                #expect(try parts.toldMark().read() == nil, "\(text)")
            }
            for number in [0, 7, Int64.max] {
                try parts.toldMark().write(number)
                #expect(try parts.toldMark().read() == number)
            }
            // Of another ledger it tells nothing.
            let other = parts.directory + "/other"
            try "".write(toFile: other, atomically: true, encoding: .utf8)
            #expect(try ToldMark(path: path, of: other).read() == nil)
        }
    }

    /// A ledger that was put back has fewer transitions than were told.
    @Test func aMarkBeyondTheLedgerIsItsEnd() async throws {
        let listener = try DatagramSocket()
        try await DaemonParts.with { parts in
            _ = try await parts.ledger.accept(parts.newJob())
            try parts.toldMark().write(1000)
            let teller = try await TransitionTeller(
                ledger: parts.ledger, mark: parts.toldMark(), logger: try logger(listener))
            let id = try await parts.ledger.accept(parts.newJob())
            await teller.tellRest()
            #expect(entries(listener).map { $0["MLD_JOB_ID"] } == ["\(id)"])
        }
    }

    @Test func itIsToldOfCommitsAndOfNothingElse() async throws {
        try await DaemonParts.with { parts in
            let told = Mutex(0)
            let stream = parts.ledger.transitionsWritten()
            let listening = Task { for await _ in stream { told.withLock { $0 += 1 } } }
            _ = try await parts.ledger.accept(parts.newJob())
            for _ in 0..<400 where told.withLock({ $0 }) == 0 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(told.withLock { $0 } == 1)
            try await parts.ledger.keepPolicy(hash: "other", text: "", at: .now())
            _ = try? await parts.ledger.write("fail") { db in
                try Ledger.insertTransition(
                    db, JobID(1), Transition(at: .now(), from: .queued, to: .cancelled, cause: "never"))
                throw CancellationError()
            }
            _ = try await parts.ledger.accept(parts.newJob())
            for _ in 0..<400 where told.withLock({ $0 }) == 1 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(told.withLock { $0 } == 2)
            listening.cancel()
        }
    }

    @Test func aJobsWordsBringNoFieldsOfTheirOwn() throws {
        let listener = try DatagramSocket()
        try logger(listener).notice(
            "a\nMLD_USER=root",
            metadata: ["job": "7", "cause": "b\nPRIORITY=0", "user": "eve\u{1B}[2J", "bad key": "x"])
        let entry = try #require(entries(listener).first)
        #expect(entry["MLD_JOB_ID"] == "7")
        #expect(
            entry["PRIORITY"] == "5" && entry["MLD_CAUSE"] == "b\nPRIORITY=0" && entry["MLD_USER"] == "eve\u{1B}[2J")
        #expect(entry["MESSAGE"]?.hasPrefix("a\u{FFFD}MLD_USER=root") == true)
        #expect(!entry.keys.contains { $0.contains("BAD") })
    }

    @Test func elsewhereTheyAreLines() throws {
        let path = "/tmp/mldt-stream-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = try Descriptor.open(path, O_RDWR | O_CREAT)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        let stream = "\(try #require(attributes[.systemNumber])):\(try #require(attributes[.systemFileNumber]))"
        func sink(_ stream: String?, _ socket: String) -> String {
            let environment = stream.map { ["JOURNAL_STREAM": $0] } ?? [:]
            switch JournalLogHandler.Sink.standardError(environment, descriptor: file.raw, socket: socket) {
            case .journal: return "journal"
            case .systemd: return "systemd"
            case .lines: return "lines"
            }
        }
        let listener = try DatagramSocket()
        #expect(sink(stream, listener.path) == "journal")
        #expect(sink(stream, "/no/such/socket") == "systemd")
        #expect(sink("1:1", listener.path) == "lines")
        #expect(sink(nil, listener.path) == "lines")
    }

    /// The watchdog's pings come from what would stop if the daemon hung.
    @Test func whatHangsIsNotSaidToLive() async throws {
        let pings = Mutex(0)
        let isHanging = Mutex(false)
        let loop = WatchdogLoop(
            interval: .milliseconds(30),
            everythingTurns: {
                while isHanging.withLock({ $0 }), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
                if Task.isCancelled { return }
            }, ping: { pings.withLock { $0 += 1 } })
        let running = Task { try await loop.run() }
        for _ in 0..<400 where pings.withLock({ $0 }) < 3 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(pings.withLock { $0 } >= 3)
        isHanging.withLock { $0 = true }
        try await Task.sleep(for: .milliseconds(100))
        let then = pings.withLock { $0 }
        try await Task.sleep(for: .milliseconds(150))
        #expect(pings.withLock { $0 } == then)
        isHanging.withLock { $0 = false }
        for _ in 0..<400 where pings.withLock({ $0 }) == then { try await Task.sleep(for: .milliseconds(5)) }
        #expect(pings.withLock { $0 } > then)
        running.cancel()
        try? await running.value
    }

    @Test func theLoopOfJobsAnswersAsLongAsItTurns() async throws {
        try await DaemonParts.with { parts in
            let running = Task { try await parts.jobs.run() }
            await parts.jobs.turn()
            running.cancel()
        }
    }
}
