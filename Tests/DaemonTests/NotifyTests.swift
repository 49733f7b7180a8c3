import Foundation
import JobAPI
import LinuxSystem
import Logging
import Policy
import Synchronization
import Testing
import Units

@testable import Daemon

/// Hooks and mails at a job's end, with real programs.
@Suite(.timeLimit(.minutes(2))) struct NotifyTests {
    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        let directory = "/tmp/mldt-notify-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await body(directory)
    }

    private func write(_ script: String, to path: String, mode: Int = 0o755) throws {
        try ("#!/bin/sh\n" + script + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    private func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    private func until(_ condition: () -> Bool) async throws {
        for _ in 0..<1200 {
            if condition() { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw RunningDaemon.Failure("waited in vain")
    }

    private func record(name: String = "sentiment-lstm", reason: String = "exited with status 0") -> JobRecord {
        let start = Timestamp(microseconds: 1_700_000_000_000_000)
        return JobRecord(
            id: JobID(42), name: name, user: "ada", uid: 1000, project: "nlp", queue: "batch", kind: "command",
            state: .succeeded, reason: reason, attempt: 1, submittedAt: start, startedAt: start,
            endedAt: start.advanced(by: .seconds(130)), exitStatus: 0, resources: .init(),
            energy: EnergyFigures(energyJ: 1234.5, carbonG: 0.25, tier: .table))
    }

    /// Where nobody may be told, no job is looked up for it.
    @Test func thePolicySaysWhetherAnybodyMayBeTold() {
        var notify = PolicySet.Notify()
        #expect(!notify.isOn)
        notify.mail = Setting(true)
        #expect(notify.isOn)
        notify.mail = Setting(false)
        notify.hook = Setting("/usr/local/bin/tell")
        #expect(notify.isOn)
    }

    // MARK: - Through the daemon

    @Test func theHookIsToldOfTheEndsItWants() async throws {
        try await RunningDaemon.with(prepare: { directory in
            let hook = directory + "/hook"
            try write(
                "cat >\(directory)/told-$MLD_JOB_ID.json; env >\(directory)/env-$MLD_JOB_ID; echo $# >\(directory)/count",
                to: hook)
            try FileManager.default.createDirectory(
                atPath: directory + "/policies", withIntermediateDirectories: true)
            try "[notify]\nhook = \"\(hook)\"\non = [\"failed\"]\n".write(
                toFile: directory + "/policies/a.toml", atomically: true, encoding: .utf8)
        }) { daemon in
            let good = try await daemon.submit(["true"])
            _ = try await daemon.ended(good)
            let bad = try await daemon.submit(["sh", "-c", "echo broken >&2; exit 3"])
            _ = try await daemon.ended(bad)
            let (told, count) = (daemon.directory + "/told-\(bad).json", daemon.directory + "/count")
            try await until { text(count) != nil }
            let notice = try #require(
                try JSONSerialization.jsonObject(with: Data((text(told) ?? "").utf8)) as? [String: Any])
            #expect(notice["event"] as? String == "job-ended")
            #expect(notice["id"] as? String == "\(bad)" || notice["id"] as? Int64 == bad.number)
            #expect(notice["state"] as? String == "failed")
            #expect(notice["reason"] as? String == "exited with status 3: broken")
            #expect(notice["exit_status"] as? Int == 3)
            #expect(notice["attempt"] as? Int == 1)
            #expect(text(count) == "0\n")
            let names = Set(
                (text(daemon.directory + "/env-\(bad)") ?? "").split(separator: "\n").map { $0.prefix { $0 != "=" } })
            // What a shell sets by itself besides.
            #expect(
                names.subtracting(["PWD", "SHLVL", "_", "OLDPWD"])
                    == ["PATH", "LC_ALL", "MLD_EVENT", "MLD_JOB_ID", "MLD_JOB_STATE"])
            #expect(text(daemon.directory + "/told-\(good).json") == nil)
        }
    }

    @Test func aSlowHookHoldsUpNoJob() async throws {
        try await RunningDaemon.with(prepare: { directory in
            let hook = directory + "/hook"
            try write("touch \(directory)/began; exec sleep 1000", to: hook)
            try FileManager.default.createDirectory(
                atPath: directory + "/policies", withIntermediateDirectories: true)
            try "[notify]\nhook = \"\(hook)\"\n".write(
                toFile: directory + "/policies/a.toml", atomically: true, encoding: .utf8)
        }) { daemon in
            for _ in 0..<6 {
                let id = try await daemon.submit(["true"])
                #expect(try await daemon.ended(id).job.state == .succeeded)
            }
            try await until { text(daemon.directory + "/began") != nil }
            #expect(await daemon.stop() == 0)
            #expect(daemon.log.contains("6 notices of jobs' ends were not sent") || daemon.log.contains("mld stops"))
        }
    }

    // MARK: - One program

    @Test func aProgramThatFailsSaysHow() async throws {
        try await withDirectory { directory in
            let hook = directory + "/hook"
            func problem(_ script: String, patience: Duration = .seconds(30)) async throws -> String {
                try write(script, to: hook)
                while true {
                    do {
                        try await Hook(path: hook, patience: patience).run(input: Array("x".utf8))
                        return "none"
                    } catch {
                        // A process that another test is just starting may still hold the file as it was written.
                        if error.code == ETXTBSY { continue }
                        return "\(error)"
                    }
                }
            }
            #expect(try await problem("exit 0") == "none")
            #expect(try await problem("exit 7") == "run \(hook): exited with status 7")
            #expect(try await problem("kill -9 $$") == "run \(hook): was killed by signal 9")
            // With all it started, and though nobody reads what it is told.
            let script = "sleep 1000 & echo $! >\(directory)/pid; wait"
            #expect(try await problem(script, patience: .seconds(5)).contains("took longer than"))
            let pid = try #require(Int32((text(directory + "/pid") ?? "").filter(\.isNumber)))
            try await until { ProcessTable().status(of: pid).map { $0.hasEnded } ?? true }
        }
    }

    @Test(arguments: [0o777, 0o775, 0o757])
    func aProgramOthersCanWriteIsNotRun(mode: Int) async throws {
        try await withDirectory { directory in
            let hook = directory + "/hook"
            try write("touch \(directory)/ran", to: hook, mode: mode)
            let error = await #expect(throws: LinuxError.self) { try await Hook(path: hook).run(input: []) }
            #expect(error?.message == "is writable by others")
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: hook)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: directory)
            let second = await #expect(throws: LinuxError.self) { try await Hook(path: hook).run(input: []) }
            #expect(second?.message == "can be exchanged by all who may write to \(directory)")
            #expect(text(directory + "/ran") == nil)
        }
    }

    @Test(.enabled("only root can give a file away") { geteuid() == 0 })
    func aProgramOfAnotherUserIsNotRun() async throws {
        try await withDirectory { directory in
            let hook = directory + "/hook"
            try write("true", to: hook)
            chown(hook, 65534, 65534)
            let error = await #expect(throws: LinuxError.self) { try await Hook(path: hook).run(input: []) }
            #expect(error?.message == "belongs to neither root nor mld's user")
        }
    }

    // MARK: - Mail

    private func withNotifier(
        _ directory: String, _ body: (Notifier) async throws -> Void
    ) async throws {
        try write(
            "printf '%s\\n' \"$*\" >\(directory)/arguments; cat >\(directory)/mail.new; mv \(directory)/mail.new \(directory)/mail",
            to: directory + "/sendmail")
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let notifier = Notifier(sendmail: directory + "/sendmail", logger: logger)
        let running = Task { try await notifier.run() }
        try await body(notifier)
        running.cancel()
        try await running.value
    }

    private var policy: PolicySet.Notify {
        var policy = PolicySet.Notify()
        policy.mail = Setting(true)
        return policy
    }

    @Test func aMailTellsOfTheEnd() async throws {
        try await withDirectory { directory in
            try await withNotifier(directory) { notifier in
                notifier.take(record(), .init(mail: "ada@example.org"), policy: policy)
                try await until { text(directory + "/mail") != nil }
                #expect(text(directory + "/arguments") == "-t -i\n")
                #expect(
                    text(directory + "/mail") == """
                        To: ada@example.org
                        Subject: job 42 sentiment-lstm succeeded
                        Auto-Submitted: auto-generated
                        MIME-Version: 1.0
                        Content-Type: text/plain; charset=utf-8
                        Content-Transfer-Encoding: 8bit

                        Job 42 (sentiment-lstm) of ada succeeded:
                        exited with status 0

                        run time: 2 min 10 s
                        energy:   1235 J (table)
                        carbon:   0.25 g CO2e
                        attempt:  1

                        mlctl show 42 and mlctl logs 42 tell the rest.

                        """)
            }
        }
    }

    @Test func nothingOfAJobGetsIntoTheHeader() throws {
        let name = "x\r\nBcc: eve@example.org\r\n\r\nhello\u{2028}\u{85}"
        let mail = try #require(Mail(Notice(record(name: name, reason: "a\nb")), to: "ada@example.org"))
        let head = String(decoding: mail.message, as: UTF8.self).components(separatedBy: "\n\n")[0]
        #expect(head.split(separator: "\n").count == 6)
        #expect(!head.split(separator: "\n").contains { $0.lowercased().hasPrefix("bcc") })
        #expect(!head.contains("\r"))
        // Other scripts come in encoded words of ASCII, each short enough.
        let odd = try #require(
            Mail(Notice(record(name: String(repeating: "grüße 🙂 ", count: 9))), to: "ada@example.org"))
        let subject = String(decoding: odd.message, as: UTF8.self).components(separatedBy: "\nAuto")[0]
        #expect(subject.utf8.allSatisfy { (0x20...0x7E).contains($0) || $0 == 0x0A })
        #expect(subject.split(separator: "\n").allSatisfy { $0.utf8.count <= 76 + "Subject: ".utf8.count })
    }

    @Test(arguments: [
        "ada", "ada@", "@example.org", "ada@example.org\nBcc: eve@example.org", "ada@example.org, eve@example.org",
        "Ada <ada@example.org>", "ada@exa mple.org", "ada@@example.org", "ada@example..org", "-oQ/tmp@example.org",
        "ada@-example.org", "ada@example.org\r", "ädä@example.org", "\"a b\"@example.org", "a@b@c", "|sh@example.org",
    ])
    func whatIsNoAddressIsRefused(address: String) throws {
        #expect(!JobSpec.Notification.isAddress(address))
        #expect(Mail(Notice(record()), to: address) == nil)
        var spec = JobSpec(command: .init(argv: ["true"]))
        spec.notify = .init(mail: address)
        let body = try JSON.encode(spec)
        #expect(throws: DecodingError.self) { try JSON.decode(JobSpec.self, from: body) }
    }

    @Test(arguments: ["ada@example.org", "a.b+c_d@host", "x@1.example-site.org"])
    func whatIsAnAddressIsTaken(address: String) {
        #expect(JobSpec.Notification.isAddress(address))
    }

    @Test func onlyWhoWantsIsTold() async throws {
        try await withDirectory { directory in
            try await withNotifier(directory) { notifier in
                var silent = policy
                silent.mail = Setting(false)
                notifier.take(record(), .init(mail: "no@example.org"), policy: silent)
                notifier.take(record(), nil, policy: policy)
                notifier.take(record(), .init(mail: "no@example.org", on: [.failed]), policy: policy)
                notifier.take(record(), .init(mail: "yes@example.org", on: [.succeeded]), policy: policy)
                try await until { text(directory + "/mail") != nil }
                #expect(text(directory + "/mail")?.hasPrefix("To: yes@example.org\n") == true)
            }
        }
    }
}
