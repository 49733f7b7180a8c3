import Foundation
import JobAPI
import JobClient
import Testing
import Units

/// Fair shares through the whole of the daemon: what the ledger knows of the past decides who goes first.
@Suite(.serialized) struct ShareTests {
    @Test(arguments: [("cpu-time", false), ("energy", false), ("energy", true)])
    func whoUsedLessGoesFirstByWhatTheLedgerKnows(measure: String, byReload: Bool) async throws {
        let policy = """
            [fair-share]
            by = "\(measure)"
            accounts = "projects"
            strength = 1000
            [limits]
            max-running-per-user = 1
            """
        try await RunningDaemon.with(policy: byReload ? "[limits]\nmax-running-per-user = 1\n" : policy) { daemon in
            let burn = ["sh", "-c", "end=$(($(date +%s) + 3)); while [ $(date +%s) -lt $end ]; do :; done"]
            let used = try await daemon.submit(burn) { $0.project = "rich" }
            #expect(try await daemon.ended(used).job.state == .succeeded)
            if byReload {
                // Shares where there were none: the past counts all the same.
                try daemon.write(policy: policy)
                #expect(try daemon.mlctl("policy", "reload").status == 0)
            } else {
                await daemon.stop()
                try await daemon.start()
            }
            let first = try await daemon.submit(["sh", "-c", "while [ ! -e go ]; do sleep 0.05; done"]) {
                $0.project = "other"
            }
            _ = try await daemon.reaches(first) { $0.state == .running }
            let rich = try await daemon.submit(["true"]) { $0.project = "rich" }
            let poor = try await daemon.submit(["true"]) { $0.project = "poor" }
            try daemon.touch("go")
            let jobs = [try await daemon.ended(rich).job, try await daemon.ended(poor).job]
            let starts = jobs.compactMap(\.startedAt)
            #expect(starts.count == 2 && starts[1] < starts[0], "\(jobs.map(\.reason))")
        }
    }

    /// They were submitted when users shared; now their projects do.
    @Test func whatWaitsIsPaidForByWhomTheNewPolicySays() async throws {
        func policy(_ accounts: String) -> String {
            """
            [fair-share]
            by = "cpu-time"
            accounts = "\(accounts)"
            strength = 1000
            [limits]
            max-running-per-user = 1
            """
        }
        try await RunningDaemon.with(policy: policy("users")) { daemon in
            let used = try await daemon.submit(["sleep", "2"]) { $0.project = "rich" }
            #expect(try await daemon.ended(used).job.state == .succeeded)
            let first = try await daemon.submit(["sh", "-c", "while [ ! -e go ]; do sleep 0.05; done"]) {
                $0.project = "other"
            }
            _ = try await daemon.reaches(first) { $0.state == .running }
            let rich = try await daemon.submit(["true"]) { $0.project = "rich" }
            let poor = try await daemon.submit(["true"]) { $0.project = "poor" }
            try daemon.write(policy: policy("projects"))
            #expect(try daemon.mlctl("policy", "reload").status == 0)
            try daemon.touch("go")
            let jobs = [try await daemon.ended(rich).job, try await daemon.ended(poor).job]
            let starts = jobs.compactMap(\.startedAt)
            #expect(starts.count == 2 && starts[1] < starts[0], "\(jobs.map(\.reason))")
        }
    }
}
