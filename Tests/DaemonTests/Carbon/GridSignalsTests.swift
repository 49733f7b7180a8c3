import Carbon
import Foundation
import JobAPI
import Logging
import Scheduling
import Testing
import Units

@testable import Daemon
@testable import Policy

/// What is known of the grid, from files and services.
@Suite struct GridSignalsTests {
    private func inDirectory(_ body: (String) async throws -> Void) async throws {
        let directory = "/tmp/mldt-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await body(directory)
    }

    private func grid(_ directory: String, _ carbon: String, now: Timestamp = .now()) throws -> GridSignals {
        let policy = try policy(carbon)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return GridSignals(
            policy, table: try SiteCarbon(policy), directory: directory + "/carbon", logger: logger, now: now)
    }

    private func policy(_ carbon: String) throws -> PolicySet {
        try PolicySet.load(files: [("p.toml", "[site]\nzone = \"DE\"\n[carbon]\n\(carbon)\n")])
    }

    private func service(_ server: CannedServer, more: String = "") -> String {
        "source = { url = \"\(server.address)/v3/carbon-intensity/latest\", format = \"electricity-maps\"\(more) }"
    }

    /// The beginning of this hour, and hours from it.
    private func hour(_ offset: Int = 0, of now: Timestamp = .now()) -> Timestamp {
        let length: Int64 = 3_600_000_000
        return Timestamp(microseconds: (now.microseconds / length + Int64(offset)) * length)
    }

    @Test func theTableAloneNeverLooks() async throws {
        try await inDirectory { directory in
            let grid = try grid(directory, "source = \"table\"\nprice = \"0.3 EUR/kWh\"")
            let now = Timestamp.now()
            await grid.begin(now: now)
            #expect(await grid.lookAround(now: now) == nil)
            let situation = await grid.situation(now: now)
            #expect(situation.nextChange == nil && situation.intensity == nil && situation.forecast.carbon == nil)
            #expect(situation.site.source.contains("Germany"))
            #expect(situation.price == EnergyPrice(perKilowattHour: 0.3, currency: "EUR"))
            #expect(await grid.report(now: now).signals == [])
        }
    }

    @Test func aFileIsFollowedThroughItsChanges() async throws {
        try await inDirectory { directory in
            let path = directory + "/i.csv"
            let start = hour()
            func write(_ values: [Int]) throws {
                let lines = values.enumerated().map { index, value in
                    "\(start.advanced(by: .seconds(3600 * index))),\(value)"
                }
                try ("time,intensity\n" + lines.joined(separator: "\n") + "\n").write(
                    toFile: path, atomically: true, encoding: .utf8)
            }
            try write([100, 200, 300])
            let now = start.advanced(by: .seconds(60))
            let grid = try grid(directory, "source = { file = \"\(path)\" }", now: now)
            await grid.begin(now: now)
            var situation = await grid.situation(now: now)
            #expect(situation.intensity?.gramsPerKilowattHour == 100)
            #expect(situation.site.intensity.gramsPerKilowattHour == 100)
            #expect(situation.site.source == "\(path), measured" && situation.site.zone == "DEU")
            #expect(situation.nextChange == start.advanced(by: .seconds(3600)))
            #expect(situation.forecast.carbon?.series.values.last == 300)
            // What the file said of the next hour holds then, as a forecast.
            situation = await grid.situation(now: start.advanced(by: .seconds(3600)))
            #expect(situation.site.intensity.gramsPerKilowattHour == 200)
            #expect(situation.site.source == "\(path), forecast")

            // It is looked at when that is due, and read again when it is another.
            let due = try #require(await grid.lookAround(now: now))
            try write([150, 250])
            _ = await grid.lookAround(now: due.advanced(by: .seconds(-1)))
            #expect(await grid.situation(now: now).intensity?.gramsPerKilowattHour == 100)
            let next = await grid.lookAround(now: due)
            #expect(await grid.situation(now: due).intensity?.gramsPerKilowattHour == 150)
            #expect(next.map { $0 > due } == true)

            // A broken one leaves what is known, and is tried again sooner.
            try "nonsense".write(toFile: path, atomically: true, encoding: .utf8)
            let later = try #require(next)
            _ = await grid.lookAround(now: later)
            let state = try #require(await grid.report(now: later).signals.first)
            #expect(state.trouble?.contains("\(path):1") == true && state.value == 150, "\(state)")
            #expect(state.nextLook.since(later).seconds.rounded() == 30)
        }
    }

    @Test func whatIsTooOldMovesNothing() async throws {
        try await inDirectory { directory in
            let path = directory + "/i.csv"
            let start = hour()
            try "time,intensity\n\(start),100\n\(hour(1)),120\n\(hour(2)),130\n\(hour(30)),50\n".write(
                toFile: path, atomically: true, encoding: .utf8)
            let grid = try grid(directory, "source = { file = \"\(path)\" }\nstale-after = \"1 h\"", now: start)
            await grid.begin(now: start)
            #expect(await grid.situation(now: start).intensity != nil)
            let stale = start.advanced(by: .seconds(2.5 * 3600))
            let situation = await grid.situation(now: stale)
            #expect(situation.intensity == nil && situation.forecast.carbon == nil)
            #expect(await grid.isBlind(now: stale))
        }
    }

    private static func electricityMaps(_ request: String, _ hour: (Int) -> Timestamp) -> CannedServer.Answer {
        func row(_ offset: Int, _ value: Int) -> String {
            "{\"carbonIntensity\": \(value), \"datetime\": \"\(hour(offset))\", \"isEstimated\": false}"
        }
        func list(_ name: String, _ rows: [String]) -> CannedServer.Answer {
            .json("{\"zone\": \"DE\", \"\(name)\": [\(rows.joined(separator: ","))]}")
        }
        if request.contains("/latest?zone=DE ") {
            return .json(
                "{\"zone\": \"DE\", \"carbonIntensity\": 302, \"datetime\": \"\(hour(0))\", \"isEstimated\": false}")
        }
        if request.contains("/history?zone=DE ") { return list("history", (-23...0).map { row($0, 302 + $0) }) }
        if request.contains("/forecast?zone=DE ") { return list("forecast", (0...23).map { row($0, 302 - 5 * $0) }) }
        return .json("{\"error\": \"no such thing\"}", status: "404 Not Found")
    }

    @Test func aServiceIsAskedForPastAndFutureAndKeptOverARestart() async throws {
        let now = Timestamp.now()
        let answer: @Sendable (String) -> CannedServer.Answer = { request in
            Self.electricityMaps(request) { self.hour($0, of: now) }
        }
        try await CannedServer.with(answer) { server in
            try await inDirectory { directory in
                let token = directory + "/token"
                try "s3cret\n".write(toFile: token, atomically: true, encoding: .utf8)
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: token)
                let text = service(server, more: ", token-file = \"\(token)\"")
                let first = try grid(directory, text, now: now)
                await first.begin(now: now)
                #expect(await first.isBlind(now: now))
                let due = await first.lookAround(now: now)
                #expect(due.map { $0 >= now.advanced(by: .seconds(900)) } == true)
                var situation = await first.situation(now: now)
                #expect(situation.intensity?.gramsPerKilowattHour == 302)
                #expect(situation.site.source == "Electricity Maps, zone DE, measured")
                #expect(situation.forecast.carbon?.series.values.contains(302 - 5 * 23) == true)
                #expect(server.requests.count == 3)
                #expect(server.requests.allSatisfy { $0.contains("auth-token: s3cret\r\n") })

                // Another daemon has it from the disk, at its age, and does not ask before it is due.
                let second = try grid(directory, text, now: now.advanced(by: .seconds(300)))
                let later = now.advanced(by: .seconds(300))
                await second.begin(now: later)
                #expect(await second.isBlind(now: later) == false)
                let next = await second.lookAround(now: later)
                #expect(server.requests.count == 3)
                // Kept to the millisecond.
                #expect(try #require(next).since(try #require(due)).seconds.magnitude < 0.01)
                situation = await second.situation(now: later)
                #expect(situation.forecast.carbon?.series.values.contains(302 - 5 * 23) == true)
                let age = try #require(await second.report(now: later).signals.first?.ageS)
                #expect(age > 200 && age <= 300, "\(age)")

                // Of another source nothing is taken over.
                let other = try grid(directory, service(server, more: ", zone = \"FR\""), now: later)
                await other.begin(now: later)
                #expect(await other.isBlind(now: later))
                // Nor what somebody edited.
                let kept = directory + "/carbon/intensity.json"
                let edited = try String(contentsOfFile: kept, encoding: .utf8)
                    .replacingOccurrences(of: ",302,", with: ",-302,")
                try edited.write(toFile: kept, atomically: true, encoding: .utf8)
                let third = try grid(directory, text, now: later)
                await third.begin(now: later)
                #expect(await third.isBlind(now: later))
            }
        }
    }

    @Test func whatTheTokenIsNotGoodForIsLeftOut() async throws {
        let now = Timestamp.now()
        let answer: @Sendable (String) -> CannedServer.Answer = { request in
            request.contains("/forecast")
                ? .json("{\"message\": \"Request unauthorized\"}", status: "403 Forbidden")
                : Self.electricityMaps(request) { self.hour($0, of: now) }
        }
        try await CannedServer.with(answer) { server in
            try await inDirectory { directory in
                let grid = try grid(directory, service(server), now: now)
                _ = await grid.lookAround(now: now)
                let state = try #require(await grid.report(now: now).signals.first)
                #expect(state.trouble == nil && state.value == 302)
                #expect(state.lack?.contains("/forecast answered 403: ") == true, "\(state)")
                // A day of the past is enough for mld's own.
                #expect(await grid.situation(now: now).forecast.carbon?.series.values.count ?? 0 > 24)
            }
        }
    }

    @Test func pausesDoubleUpToAnHour() throws {
        let start = Timestamp(seconds: 1_790_000_000)
        var feed = SignalFeed(.intensity, .file("/none.csv"), fallback: nil, staleAfter: .seconds(3600), now: start)
        let pauses = (0..<9).map { _ in
            _ = feed.failed("away", at: start, refresh: .seconds(900))
            return feed.due.since(start).seconds
        }
        #expect(pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600])
    }

    @Test func aServiceThatIsAwayIsAskedLessAndLessOften() async throws {
        try await CannedServer.with({ _ in .json("busy", status: "503 Service Unavailable") }) { server in
            try await inDirectory { directory in
                var now = Timestamp.now()
                let grid = try grid(directory, service(server), now: now)
                var pauses: [Double] = []
                for _ in 0..<9 {
                    let next = try #require(await grid.lookAround(now: now))
                    pauses.append(next.since(now).seconds.rounded())
                    now = next
                }
                // Each is counted from the end of the asking, which takes its time.
                let least: [Double] = [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
                #expect(zip(pauses, least).allSatisfy { $0 >= $1 }, "\(pauses)")
                let situation = await grid.situation(now: now)
                #expect(situation.site.source.contains("Germany") && situation.intensity == nil)
                let state = try #require(await grid.report(now: now).signals.first)
                #expect(state.origin == "table" && state.trouble?.contains("answered 503: busy") == true)
            }
        }
    }

    @Test func greatBritainIsAskedInItsOwnWay() throws {
        let service = IntensityService(url: "http://h/intensity", format: .ukCarbonIntensity)
        let now = try Timestamp(parsing: "2026-11-24T08:10:00Z")
        let questions = try #require(ServiceQuestions(service, zone: "GB", now: now))
        #expect(questions.first.target == "/intensity")
        #expect(
            questions.others.map(\.target)
                == ["/intensity/2026-11-24T08:10Z/pt24h", "/intensity/2026-11-24T08:10Z/fw48h"])
        let other = IntensityService(url: "http://h/intensity/date", format: .ukCarbonIntensity)
        #expect(ServiceQuestions(other, zone: nil, now: now)?.others == [])
    }

    @Test func formatsHaveOneName() {
        for format in IntensityService.Format.allCases { #expect(format.rawValue == format.signalFormat.rawValue) }
    }

    @Test func tokensAreReadAtUseAndOnlyWhereTheyAreSecret() async throws {
        try await inDirectory { directory in
            #expect(try SourceToken.read(nil, credentials: directory) == nil)
            let path = directory + "/" + SourceToken.credential
            try "abc\n".write(toFile: path, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
            #expect { try SourceToken.read(path) } throws: { "\($0)".contains("read by every user") }
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            #expect(try SourceToken.read(nil, credentials: directory) == "abc")
            try "abc\r\nx: y\n".write(toFile: path, atomically: false, encoding: .utf8)
            #expect {
                try SourceToken.read(path)
            } throws: { "\($0)".contains("holds no token") && !"\($0)".contains("abc") }
        }
    }
}
