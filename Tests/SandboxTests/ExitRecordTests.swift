import Glibc
import LinuxSystem
import Sandbox
import Testing

/// Records that cannot be true, or are none.
struct ExitRecordTests {
    let fixture: Fixture
    static let good =
        #"{"exit_status":0,"signal":null,"cause":"exited","message":null,"user_cpu_us":1,"system_cpu_us":2,"memory_peak_bytes":3,"oom_kills":null,"output_lost_bytes":0,"transient":false,"started_at_us":4,"ended_at_us":5}"#

    init() throws {
        fixture = try Fixture()
    }

    private func read(_ text: String) throws -> ExitRecord? {
        try fixture.write(text, to: fixture.job + "/exit.json")
        return ExitRecord.read(fixture.job + "/exit.json")
    }

    @Test func theSignalOfTheWarningIsReadWhereThereIsOne() throws {
        #expect(try #require(try read(Self.good)).warnSignal == nil)
        let warned = Self.good.dropLast()
        #expect(try read(warned + ",\"warn_signal\":15}")?.warnSignal == 15)
        #expect(try read(warned + ",\"warn_signal\":65}") == nil)
    }

    @Test func aGoodRecordIsRead() throws {
        let record = try #require(try read(Self.good))
        #expect(record.exitStatus == 0)
        #expect(record.systemMicroseconds == 2)
        #expect(record.endedAt == 5)
    }

    @Test(arguments: [
        ("\"exit_status\":0", "\"exit_status\":256"), ("\"exit_status\":0", "\"exit_status\":null"),
        ("\"signal\":null", "\"signal\":9"), ("\"signal\":null", "\"signal\":-1"), ("\"exited\"", "\"vanished\""),
        ("\"user_cpu_us\":1", "\"user_cpu_us\":-1"), ("\"user_cpu_us\":1", "\"user_cpu_us\":1e300"),
        ("\"memory_peak_bytes\":3", "\"memory_peak_bytes\":9223372036854775807"),
        ("\"ended_at_us\":5", "\"ended_at_us\":3"),
        ("\"ended_at_us\":5}", "\"ended_at_us\":5"), ("\"message\":null", "\"message\":7"),
    ])
    func whatCannotBeIsNoRecord(part: String, replacement: String) throws {
        let text = Self.good.split(separator: part, maxSplits: 1, omittingEmptySubsequences: false)
        try #require(text.count == 2)
        #expect(try read(text[0] + replacement + text[1]) == nil)
    }

    @Test func onlyARegularBoundedFileIsRead() throws {
        let path = fixture.job + "/exit.json"
        #expect(ExitRecord.read(path) == nil)
        #expect(try read(Self.good + String(repeating: " ", count: 70_000)) == nil)
        unlink(path)
        #expect(mkfifo(path, 0o600) == 0)
        #expect(ExitRecord.read(path) == nil)
        unlink(path)
        try fixture.write(Self.good, to: fixture.job + "/real")
        #expect(symlink(fixture.job + "/real", path) == 0)
        #expect(ExitRecord.read(path) == nil)
    }

    @Test func wordsOfAnyKindSurviveTheRecord() async throws {
        let odd = "no \"such\" \\ prögram\u{1}\t"
        let outcome = try await fixture.run(fixture.launch([odd]))
        #expect(outcome.record.message == odd + ": command not found")
    }
}
