import Scheduling
import Testing
import Units

@testable import Simulation

@Suite struct SWFTests {
    /// A line of a job: number, submit, wait, run time, processors, CPU time, memory, requested processors, time and memory,
    /// status, user, group, program, queue, partition, job before, think time.
    private static let header = """
        ; Version: 2.2
        ; UnixStartTime: 749458803
        ; MaxNodes: 64
        ; MaxProcs: 128
        ;  Queue:  1  batch
        ; Note: this is for people: and has colons
        """

    private func read(_ lines: String) throws -> Trace {
        try Trace.swf(Self.header + "\n" + lines + "\n", file: "log.swf")
    }

    @Test func readsAJobWithAllItsFields() throws {
        let trace = try read("  7 100 5 60 4 -1 2048 8 3600 1024 1 3 2 -1 1 -1 -1 -1")
        #expect(trace.processors == 128)
        #expect(trace.users == ["user3"])
        #expect(trace.groups == [["group2"]])
        #expect(trace.queues == ["batch"])
        #expect(trace.notes.isEmpty)
        #expect(
            trace.jobs == [
                TraceJob(
                    name: "7", submit: Timestamp(seconds: 749_458_903), runTime: 60,
                    request: ResourceVector(cpus: 4, memory: .mebibytes(4)), timeLimit: 3600, recordedWait: 5, user: 0,
                    project: 0, group: 0, queue: 0)
            ])
    }

    @Test func takesWhatWasAskedForWhereTheUseIsUnknown() throws {
        let trace = try read("1 0 -1 60 -1 -1 512 16 -1 -1 1 -1 -1 -1 0 -1 -1 -1")
        #expect(trace.jobs.first?.request == ResourceVector(cpus: 16, memory: .mebibytes(8)))
        #expect(trace.jobs.first?.timeLimit == nil)
        #expect(trace.jobs.first?.recordedWait == nil)
        #expect(trace.jobs.first?.user == -1)
        #expect(trace.queues == ["queue0"])
    }

    @Test func leavesOutWhatCannotBeRunAndSaysSo() throws {
        let trace = try read(
            """
            1 10 0 -1 1 -1 -1 -1 -1 -1 5 1 1 -1 -1 -1 -1 -1
            2 20 0 0 1 -1 -1 -1 -1 -1 0 1 1 -1 -1 -1 -1 -1
            3 30 0 60 -1 -1 -1 -1 -1 -1 1 1 1 -1 -1 -1 -1 -1
            4 -1 0 60 1 -1 -1 -1 -1 -1 1 1 1 -1 -1 -1 -1 -1
            5 50 0 60 1 -1 -1 -1 -1 -1 3 1 1 -1 -1 -1 -1 -1
            6 60 0 61 1 -1 -1 -1 -1 -1 5 1 1 -1 -1 -1 -1 -1
            7 70 0 62 1 -1 -1 -1 -1 -1 0 1 1 -1 -1 -1 -1 -1
            """)
        #expect(trace.jobs.map(\.name) == ["6", "7"])
        #expect(trace.jobs.map(\.runTime) == [61, 62])
        #expect(
            trace.notes == [
                "left out 2 of the trace's lines that never ran",
                "left out 1 of the trace's lines without a number of processors",
                "left out 1 of the trace's lines without a time of submission",
                "left out 1 of the trace's lines that stand for parts of other lines",
            ])
    }

    @Test func sortsBySubmissionAndKeepsTheOrderOfOneMoment() throws {
        let rest = "0 60 1 -1 -1 -1 -1 -1 1 1 1 -1 -1 -1 -1 -1"
        let trace = try read("1 50 \(rest)\n2 10 \(rest)\n3 50 \(rest)\n4 10 \(rest)")
        #expect(trace.jobs.map(\.name) == ["2", "4", "1", "3"])
    }

    @Test func withoutMaxProcsTheNodesCount() throws {
        #expect(try Trace.swf("; MaxNodes: 64\n", file: "x").processors == 64)
        #expect(try Trace.swf("; MaxProcs: -1\r\n", file: "x").processors == nil)
    }

    @Test(arguments: [
        ("1 2 3", "log.swf:7: the line has 3 fields, but a job in SWF has 18"),
        (
            "1 10 0 sixty 1 -1 -1 -1 -1 -1 5 1 1 -1 -1 -1 -1 -1",
            "log.swf:7: field 4 is \"sixty\", which is not a number"
        ),
        ("1 10 0 1e9 1 -1 -1 -1 -1 -1 5 1 1 -1 -1 -1 -1 -1", "log.swf:7: field 4 is \"1e9\", which is not a number"),
        ("1 10 0 999999999999 1 -1 -1 -1 -1 -1 5 1 1 -1 -1 -1 -1 -1", "log.swf:7: a job ran for 999999999999 s"),
        ("1 10 0 60 99999999 -1 -1 -1 -1 -1 5 1 1 -1 -1 -1 -1 -1", "log.swf:7: a job with 99999999 processors"),
        ("1 999999999999999 0 60 1 -1 -1 -1 -1 -1 5 1 1 -1 -1 -1 -1 -1", "log.swf:7: a job is submitted"),
        ("; MaxProcs: many", "log.swf:7: MaxProcs is \"many\""),
        ("; UnixStartTime: nan", "log.swf:7: UnixStartTime is \"nan\""),
    ])
    func saysWhatIsWrongAndWhere(line: String, message: String) {
        let error = #expect(throws: TraceError.self) { try read(line) }
        #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
    }

    @Test func endlessLinesAndNoiseDoNotTrap() {
        #expect(throws: TraceError.self) { try Trace.swf(String(repeating: "1", count: 20_000), file: "x") }
        #expect(throws: TraceError.self) { try Trace.swf("\u{1f}\u{8b}\u{0}garbage\n", file: "x") }
    }
}
