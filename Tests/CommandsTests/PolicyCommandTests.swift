import ConfigFile
import Glibc
import JobAPI
import Testing

@Suite struct PolicyCommandTests {
    @Test func show() async throws {
        try await FakeServer.with(["GET /v1/policy": [try .json(Samples.policy)]]) { server in
            let outcome = await Terminal().run(["policy", "show"], socket: server.socket)
            #expect(outcome.status == 0)
            expectSnapshot(
                outcome.out,
                """
                SETTING               VALUE  SET BY
                machine.reserve-cpus  0      policies/default.toml:3
                site.pue              1.2    built in

                files: policies/default.toml
                hash: 9f86d081884c7d65

                """)
            let json = await Terminal().run(["policy", "show", "--format", "json"], socket: server.socket)
            let expected = try JSON.text(Samples.policy, pretty: true) + "\n"
            #expect(json.out == expected)
        }
    }

    @Test func reloadSaysWhatIsInForce() async throws {
        let hash = "9f86d081884c7d659a2feaa0c55ad015"
        let answers = [
            PolicyReload(hash: hash, files: ["10.toml", "20.toml"], changed: true),
            PolicyReload(hash: hash, files: ["10.toml"], changed: false),
            PolicyReload(hash: hash, files: [], changed: true),
        ]
        let path = "POST /v1/policy/reload"
        try await FakeServer.with([path: try answers.map { try .json($0) }]) { server in
            let first = await Terminal().run(["policy", "reload"], socket: server.socket)
            #expect(first.status == 0)
            expectSnapshot(first.out, "in force: 2 files, 9f86d081884c\n")
            let second = await Terminal().run(["policy", "reload"], socket: server.socket)
            expectSnapshot(second.out, "nothing has changed: 1 file, 9f86d081884c\n")
            let third = await Terminal().run(["policy", "reload"], socket: server.socket)
            expectSnapshot(third.out, "in force: the built-in policy, 9f86d081884c\n")
        }
    }

    @Test func checkNeedsNoDaemon() async throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        try write("[site]\npue = 1.2\n", to: directory + "/good.toml")
        try write("[site]\npue = = 1.2\n", to: directory + "/bad.toml")
        let good = await Terminal().run(["policy", "check", directory + "/good.toml"], socket: "/nonexistent")
        #expect(good.status == 0)
        #expect(good.out == "1 file: no problems\n")
        let paths = [directory + "/good.toml", directory + "/bad.toml"]
        let bad = await Terminal().run(["policy", "check"] + paths)
        #expect(bad.status == 1)
        #expect(bad.out.isEmpty)
        #expect(bad.err.hasPrefix("\(directory)/bad.toml:2: "))
        let json = await Terminal().run(["policy", "check", "--format", "json"] + paths)
        #expect(json.status == 1)
        #expect(json.out.contains("\"line\" : 2"))
    }

    /// What a start and a reload refuse, with what was probably meant.
    @Test(arguments: [
        ("XX", "there is no carbon intensity for it; use an ISO 3166-1 country code"),
        ("UK", "did you mean \"GB\" (United Kingdom)?"), ("DEUU", "did you mean \"DEU\" (Germany)?"),
        ("Germany", "it must be a zone in capitals; did you mean \"DE\"?"), ("de", "did you mean \"DE\"?"),
    ])
    func checkKnowsTheZonesOfTheCarbonTable(zone: String, message: String) async throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        try write("[site]\nzone = \"\(zone)\"\n", to: directory + "/p.toml")
        let outcome = await Terminal().run(["policy", "check", directory + "/p.toml"])
        #expect(outcome.status == 1)
        #expect(outcome.err.hasPrefix("\(directory)/p.toml:2: \"site.zone\" is \"\(zone)\""), "\(outcome.err)")
        #expect(outcome.err.contains(message), "\(outcome.err)")
    }

    @Test func reloadShowsWarnings() async throws {
        let warning = ConfigProblem(file: "10.toml", line: 2, message: "the reserves leave no CPU", hint: "lower them")
        let answer = PolicyReload(hash: "9f86d081884c7d65", files: ["10.toml"], changed: true, warnings: [warning])
        try await FakeServer.with(["POST /v1/policy/reload": [try .json(answer), try .json(answer)]]) { server in
            let outcome = await Terminal().run(["policy", "reload"], socket: server.socket)
            #expect(outcome.status == 0)
            expectSnapshot(outcome.out, "in force: 1 file, 9f86d081884c\n")
            expectSnapshot(outcome.err, "warning: 10.toml:2: the reserves leave no CPU; lower them\n")
            let json = await Terminal().run(["policy", "reload", "--format", "json"], socket: server.socket)
            #expect(json.err.isEmpty && json.out.contains("\"warnings\""))
        }
    }

    @Test func aReservationThatIsOverIsWarnedOf() async throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let times = "start = \"2020-01-01T00:00:00Z\"\nend = \"2020-01-02T00:00:00Z\"\n"
        try write("[reservation.old]\ncpus = 1\nuser = \"a\"\n" + times, to: directory + "/p.toml")
        let outcome = await Terminal().run(["policy", "check", directory + "/p.toml"])
        #expect(outcome.status == 0)
        #expect(
            outcome.err.hasPrefix("warning: \(directory)/p.toml:5: reservation \"old\" is over since"), "\(outcome.err)"
        )
    }

    /// A pipe is read to its end, however long its writer takes to begin.
    @Test func checkReadsPipesToTheirEnd() async throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let fifo = directory + "/fifo"
        #expect(mkfifo(fifo, 0o600) == 0)
        let writer = try #require(popen("sleep 0.3; printf '[site]\\npue = 0.5\\n' > \(fifo)", "r"))
        let named = await Terminal().run(["policy", "check", fifo])
        pclose(writer)
        #expect(named.status == 1 && named.err.hasPrefix("\(fifo):2: "), "\(named)")
        let pipe = try #require(popen("sleep 0.3; printf '[site]\\npue = 0.5\\n'", "r"))
        let path = "/dev/fd/\(fileno(pipe))"
        let anonymous = await Terminal().run(["policy", "check", path])
        pclose(pipe)
        #expect(anonymous.status == 1 && anonymous.err.hasPrefix("\(path):2: "), "\(anonymous)")
    }

    @Test func checkReadsNothingThatIsNeitherFileNorPipe() async {
        let device = await Terminal().run(["policy", "check", "/dev/zero"])
        #expect(device.status == 1 && device.err == "mlctl: /dev/zero: is neither a file nor a pipe\n", "\(device)")
        let directory = await Terminal().run(["policy", "check", "/tmp"])
        #expect(directory.status == 1 && directory.err == "mlctl: /tmp: is a directory\n", "\(directory)")
    }

    @Test func checkNamesAFileItCannotRead() async throws {
        let outcome = await Terminal().run(["policy", "check", "/nonexistent/p.toml"])
        #expect(outcome.status == 1)
        #expect(outcome.err == "mlctl: /nonexistent/p.toml: No such file or directory\n")
    }
}
