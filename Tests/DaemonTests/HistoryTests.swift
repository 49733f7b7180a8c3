import Foundation
import JobAPI
import JobClient
import Testing
import Units

/// What ran is replayed: a daemon with a counter, its ledger, and the instrument that reads it through the API.
@Suite(.serialized) struct HistoryTests {
    /// Computes for a second and a bit.
    private let burn = [
        "sh", "-c", "end=$(($(date +%s%N) + 1200000000)); while [ $(date +%s%N) -lt $end ]; do :; done",
    ]

    private let policy = "# one and all\n[site]\nzone = \"FR\"\npue = 1.5\n[queue.low]\ndefault = true\n"

    private func metered(_ body: (RunningDaemon) async throws -> Void) async throws {
        let counter = RisingCounter()
        defer { counter.stop() }
        try await RunningDaemon.with(
            arguments: ["--sysfs", "{}/sys"],
            prepare: {
                try counter.start(below: $0 + "/sys")
                try FileManager.default.createDirectory(
                    atPath: $0 + "/policies", withIntermediateDirectories: true)
                try policy.write(toFile: $0 + "/policies/10.toml", atomically: true, encoding: .utf8)
                try "[queue.low]\nmax-time = \"2 h\"\n".write(
                    toFile: $0 + "/policies/20.toml", atomically: true, encoding: .utf8)
            }, body)
    }

    @Test func theLedgerIsATraceAndThePolicyInForceItsBase() async throws {
        try await metered { daemon in
            let began = Timestamp.now()
            var ids: [JobID] = []
            for _ in 0..<2 {
                let id = try await daemon.submit(burn) { $0.resources.timeLimit = 600 }
                #expect(try await daemon.ended(id).job.state == .succeeded)
                ids.append(id)
            }
            let failed = try await daemon.submit(["false"])
            #expect(try await daemon.ended(failed).job.state == .failed)

            let page = try await daemon.client { try await $0.history() }
            #expect(page.jobs.map(\.id) == ids + [failed] && page.next == nil && page.isEverybodys)
            let job = try #require(page.jobs.first)
            #expect(job.queue == "low" && job.timeLimitS == 600 && job.durationS >= 1 && job.durationS < 60)
            #expect((job.powerW ?? 0) > 0 && job.kind != nil && page.jobs[1].kind == job.kind)
            let group = getgrgid(getgid()).map { String(cString: $0.pointee.gr_name) } ?? ""
            #expect(page.jobs.allSatisfy { $0.groups?.contains(group) == true }, "\(page.jobs)")
            #expect(page.intensities?.count == 1 && page.machine?.cpus ?? 0 >= 1)
            let next = try await daemon.client { try await $0.history(after: job.id, limit: 1) }
            #expect(next.jobs.map(\.id) == [ids[1]] && next.next == ids[1] && next.machine == nil)
            let early = try await daemon.client { try await $0.history(until: began) }
            #expect(early.jobs.isEmpty && early.next == nil)
            for query in ["limit=0", "limit=5001", "since=2026-11-24&until=2026-11-23", "after=x"] {
                let answer = try RunningDaemon.run(
                    "/usr/bin/curl",
                    ["-s", "--unix-socket", daemon.socket, "http://localhost/v1/history?\(query)"])
                #expect(answer.out.contains("\"invalid-request\""), "\(query): \(answer)")
            }

            let texts = try await daemon.client { try await $0.policyTexts() }
            #expect(texts.files.map { ($0.name as NSString).lastPathComponent } == ["10.toml", "20.toml"])
            #expect(texts.files.first?.text == policy)
            #expect(try await daemon.client { try await $0.policy() }.hash == texts.hash)

            try "[queue.low]\ndefault = true\n[machine]\nreserve-cpus = 0\n".write(
                toFile: daemon.work + "/new.toml", atomically: true, encoding: .utf8)
            let shown = try daemon.mlctl(
                "policy", "simulate", "--policy", "new.toml", "--trace", "ledger", "--since", "1 h", "--format", "json")
            #expect(shown.status == 0, "\(shown)")
            let report = try JSON.decode(SimulationReport.self, from: Data(shown.out.utf8))
            #expect(report.trace == "ledger" && report.rows.map(\.name) == ["in force", "new.toml"])
            #expect(report.rows.allSatisfy { $0.figures.jobsFinished == 3 && $0.figures.jobsEnergyJ > 0 })
            #expect(
                report.notes.contains { $0.hasPrefix("in force: ") && $0.contains("/10.toml, ") }, "\(report.notes)")
            #expect(report.notes.contains { $0.hasPrefix("carbon: ") && $0.contains("as the ledger was kept") })
            // Rules that ask for a group are asked of the groups of then.
            try
                "[queue.low]\ndefault = true\n[[rule]]\nname = \"r\"\nmatch = { group = \"\(group)\" }\nthen = \"deny\"\n"
                .write(
                    toFile: daemon.work + "/deny.toml", atomically: true, encoding: .utf8)
            let denied = try daemon.mlctl(
                "policy", "simulate", "--policy", "deny.toml", "--trace", "ledger", "--format", "json")
            let refused = try JSON.decode(SimulationReport.self, from: Data(denied.out.utf8)).rows.last
            #expect(refused?.figures.jobsRefused == 3, "\(denied)")
            let tuned = try daemon.mlctl(
                "policy", "tune", "--knob", "limits.max-running-per-user=1,2", "--trace", "ledger")
            #expect(tuned.status == 0 && tuned.out.contains("limits.max-running-per-user  BEST"), "\(tuned)")
            let compared = try daemon.mlctl(
                "policy", "compare", "new.toml", daemon.directory + "/policies/10.toml", "--trace", "ledger")
            // How wide the columns are depends on how many joules the machine drew.
            let head = compared.out.split(separator: "\n").first { $0.hasPrefix("FIGURE") }
            #expect(
                compared.status == 0 && head?.split(separator: " ") == ["FIGURE", "new.toml", "10.toml", "CHANGE"],
                "\(compared)")
        }
    }

    /// The history of others is for whom the policy lets see their jobs; the policy itself is for everybody.
    @Test(.enabled("only root can become another user") { geteuid() == 0 })
    func othersJobsAreForWhoMaySeeThem() async throws {
        try await RunningDaemon.with(
            arguments: ["--system"],
            prepare: {
                try FileManager.default.createDirectory(
                    atPath: $0 + "/policies", withIntermediateDirectories: true)
                try policy.write(toFile: $0 + "/policies/10.toml", atomically: true, encoding: .utf8)
            }
        ) { daemon in
            let id = try await daemon.submit(["true"]) { $0.name = "private-name" }
            #expect(try await daemon.ended(id).job.state == .succeeded)
            let attributes = try FileManager.default.attributesOfItem(atPath: daemon.socket)
            let group = try #require(attributes[.groupOwnerAccountID] as? Int)
            func stranger<T: Decodable>(_ target: String, as: T.Type) throws -> T {
                let answer = try RunningDaemon.run(
                    "/usr/bin/setpriv",
                    [
                        "--reuid=65534", "--regid=\(group)", "--clear-groups", "/usr/bin/curl", "-s", "--unix-socket",
                        daemon.socket, "http://localhost/v1/\(target)",
                    ])
                return try JSON.decode(T.self, from: Data(answer.out.utf8))
            }
            let own = try stranger("history", as: HistoryPage.self)
            #expect(own.jobs.isEmpty && !own.isEverybodys)
            #expect(try stranger("policy/files", as: PolicyTexts.self).files.first?.text == policy)
            #expect(try await daemon.client { try await $0.history() }.jobs.map(\.name) == ["private-name"])
            try daemon.write(policy: policy + "[access]\nsee-others = [\"*\"]\n")
            _ = try await daemon.client { try await $0.reloadPolicy() }
            let all = try stranger("history", as: HistoryPage.self)
            #expect(all.jobs.map(\.id) == [id] && all.isEverybodys)
        }
    }
}
