import Scheduling
import TestSupport
import Testing
import Units

@testable import Simulation

@Suite struct TraceCSVTests {
    @Test func readsTheFiveColumns() throws {
        let trace = try Trace.csv(
            """
            job,submit,duration_min,deadline,interruptible
            a,2020-01-01T09:30:00Z,90,2020-01-03T14:30:00Z,true
            b,2020-01-01T10:30:00+01:00,0.5,,false

            """, file: "t.csv")
        #expect(trace.jobs.map(\.name) == ["a", "b"])
        #expect(trace.jobs.map(\.submit) == [Timestamp(seconds: 1_577_871_000), Timestamp(seconds: 1_577_871_000)])
        #expect(trace.jobs.map(\.runTime) == [5400, 30])
        #expect(trace.jobs.map(\.deadline) == [Timestamp(seconds: 1_578_061_800), nil])
        #expect(trace.jobs.map(\.interruptible) == [true, false])
        #expect(trace.jobs[0].request == ResourceVector(cpus: 1, memory: .mebibytes(1)))
    }

    @Test func namesThatAreThereTwiceAreRemarked() throws {
        let header = "job,submit,duration_min\n"
        let line = "a,2020-01-01T09:30:00Z,90\n"
        let other = "b,2020-01-01T09:30:00Z,90\n"
        let trace = try Trace.csv([header, line, other, line, line].joined(), file: "t.csv")
        #expect(trace.jobs.count == 4)
        #expect(
            trace.notes == [
                "2 jobs have the name of an earlier one, such as \"a\": they are replayed too; is a line there twice?"
            ])
        #expect(try Trace.csv(header + line, file: "t.csv").notes.isEmpty)
        let unnumbered = "-1 0 -1 60 -1 -1 512 16 -1 -1 1 -1 -1 -1 0 -1 -1 -1\n"
        #expect(try Trace.swf(unnumbered + unnumbered, file: "t.swf").notes.isEmpty)
        let numbered = (unnumbered + unnumbered).replacing("-1 0 -1", with: "7 0 -1")
        #expect(try Trace.swf(numbered, file: "t.swf").notes.count == 1)
    }

    @Test func readsAllColumnsInAnyOrderWithQuotesAndCRLF() throws {
        let trace = try Trace.csv(
            "\u{FEFF}user,queue,time_limit_min,power_w,memory,gpus,cpus,project,duration_min,submit,job\r\n"
                + "# a comment\r\n"
                + "ann,batch,120,250.5,4 GiB,2,8,nlp,60,2026-11-24T08:00:00Z,\"say \"\"hi\"\", twice\"\r\n",
            file: "t.csv")
        #expect(trace.users == ["ann"])
        #expect(trace.projects == ["nlp"])
        #expect(trace.queues == ["batch"])
        let job = try #require(trace.jobs.first)
        #expect(job.name == "say \"hi\", twice")
        #expect(job.request == ResourceVector(cpus: 8, memory: .gibibytes(4), gpus: 2))
        #expect(job.power == 250.5)
        #expect(job.timeLimit == 7200)
        #expect([job.user, job.project, job.queue, job.group] == [0, 0, 0, -1])
    }

    @Test(arguments: [
        (
            "job,submit,duration_mins",
            "t.csv:1: unknown column \"duration_mins\"; did you mean \"duration_min\"? columns: job"
        ),
        ("job,submit,zzzzzzzz", "t.csv:1: unknown column \"zzzzzzzz\"; columns: job"),
        ("job,submit", "t.csv:1: there is no column \"duration_min\""),
        ("job,job,submit", "t.csv:1: the column \"job\" is there twice"),
        ("", "t.csv: the trace is empty"),
    ])
    func headerProblems(text: String, message: String) {
        let error = #expect(throws: TraceError.self) { try Trace.csv(text, file: "t.csv") }
        #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: [
        ("a,2020-01-01T09:30:00Z,90,true", "t.csv:3: the line has 4 fields, the header 11"),
        (",2020-01-01T09:30:00Z,90,,,,,,,,", "t.csv:3: job is empty"),
        ("a,yesterday,90,,,,,,,,", "t.csv:3: submit is \"yesterday\", which is not a time"),
        ("a,2020-02-30T09:30:00Z,90,,,,,,,,", "t.csv:3: submit is \"2020-02-30T09:30:00Z\""),
        ("a,9999-01-01T09:30:00Z,90,,,,,,,,", "t.csv:3: submit is"),
        ("a,2020-01-01T09:30:00Z,nan,,,,,,,,", "t.csv:3: duration_min is \"nan\""),
        ("a,2020-01-01T09:30:00Z,-5,,,,,,,,", "t.csv:3: duration_min is \"-5\""),
        ("a,2020-01-01T09:30:00Z,1e300,,,,,,,,", "t.csv:3: duration_min is \"1e300\""),
        ("a,2020-01-01T09:30:00Z,90,,maybe,,,,,,", "t.csv:3: interruptible is \"maybe\""),
        ("a,2020-01-01T09:30:00Z,90,,,0,,,,,", "t.csv:3: cpus is \"0\", which is not 1 to 1000000"),
        ("a,2020-01-01T09:30:00Z,90,,,99999999999999999999,,,,,", "t.csv:3: cpus is"),
        ("a,2020-01-01T09:30:00Z,90,,,,-1,,,,", "t.csv:3: gpus is \"-1\""),
        ("a,2020-01-01T09:30:00Z,90,,,,,4,,,", "t.csv:3: memory is \"4\""),
        ("a,2020-01-01T09:30:00Z,90,,,,,,inf,,", "t.csv:3: power_w is \"inf\""),
        ("\"a,2020-01-01T09:30:00Z,90,,,,,,,,", "t.csv:3: a quoted field is not closed"),
        ("\"a\"b,2020-01-01T09:30:00Z,90,,,,,,,,", "t.csv:3: there is text behind a closing quote"),
        ("a\u{1b}[2J,2020-01-01T09:30:00Z,90,,,,,,,,", "t.csv:3: job is \"a?[2J\""),
    ])
    func lineProblems(line: String, message: String) {
        let header = "job,submit,duration_min,deadline,interruptible,cpus,gpus,memory,power_w,user,time_limit_min"
        let good = "x,2020-01-01T09:30:00Z,1,,,,,,,,"
        let error = #expect(throws: TraceError.self) {
            try Trace.csv([header, good, line].joined(separator: "\n"), file: "t.csv")
        }
        #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
    }

    /// The short way and the long way read the same moment.
    @Test func plainTimesAreReadAsTheGeneralParserReadsThem() throws {
        var random = Seeded(7)
        for _ in 0..<500 {
            let time = Timestamp(seconds: Double(Int64.random(in: -2_000_000_000...4_000_000_000, using: &random)))
            #expect(plainUTC(time.description) == time)
        }
        for bad in ["2019-02-29T00:00:00Z", "2020-13-01T00:00:00Z", "2020-01-01T24:00:00Z", "2020-01-01 00:00:00Z"] {
            #expect(plainUTC(bad) == nil)
        }
        #expect(plainUTC("2020-02-29T00:00:00Z") == Timestamp(seconds: 1_582_934_400))
    }
}
