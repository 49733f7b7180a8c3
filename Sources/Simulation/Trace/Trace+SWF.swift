import Scheduling
import Units

extension Trace {
    /// Reads the Standard Workload Format of the Parallel Workloads Archive (version 2.2): header lines behind `;`, then a line of
    /// 18 numbers per job, -1 for what is not known.
    ///
    /// - Time 0 is the header's `UnixStartTime`, or 1970 where it has none. `MaxProcs`, else `MaxNodes`, is the machine.
    /// - A job's CPUs are the processors it was given, else those it asked for; without either it is left out. Its memory is that
    ///   asked for, else used, per processor; where neither is known, 1 MiB, so that memory keeps nobody waiting.
    /// - The time limit is the time asked for. Where there is none, that is for the replay to decide.
    /// - A job that never ran (run time -1 or 0: cancelled while it waited, or refused) is left out, and so is one without a
    ///   time of submission. A job that was cancelled while it ran (status 5) or failed (0) runs as long as it did then.
    /// - Lines of status 2, 3 and 4 are parts of a job that has a line of its own for the whole: left out.
    /// - Users become `user5`, groups `group1` and, as SWF has no better, the project too. Queues have the names the header gives
    ///   them (`Queue: 1 batch`), else `queue1`.
    /// - Parameter file: how the trace is called in messages.
    package static func swf(_ text: String, file: String) throws(TraceError) -> Trace {
        var reader = try SWFReader(text, file: file)
        return try reader.read()
    }
}

/// Where SWF keeps what, counted from 0.
private enum Field {
    static let count = 18
    static let number = 0
    static let submit = 1
    static let wait = 2
    static let runTime = 3
    static let processors = 4
    static let usedMemory = 6
    static let requestedProcessors = 7
    static let requestedTime = 8
    static let requestedMemory = 9
    static let status = 10
    static let user = 11
    static let group = 12
    static let application = 13
    static let queue = 14
}

private struct SWFReader {
    var lines: TraceLines
    var trace = Trace()
    var users = Names()
    var groups = Names()
    var queues = Names()
    var queueNames: [Int: String] = [:]
    var start = 0.0
    var nodes: Int?
    /// How many jobs were left out, by cause.
    var parts = 0
    var neverRan = 0
    var withoutProcessors = 0
    var withoutSubmission = 0

    init(_ text: String, file: String) throws(TraceError) { lines = try TraceLines(text, file: file) }

    mutating func read() throws(TraceError) -> Trace {
        var words: [Range<Int>] = []
        var fields = Array(repeating: -1.0, count: Field.count)
        while let line = try lines.nextLine() {
            lines.words(line, into: &words)
            guard let first = words.first else { continue }
            if lines.bytes[first.lowerBound] == UInt8(ascii: ";") {
                try readHeader(lines.text(line))
                continue
            }
            guard words.count == Field.count else {
                throw lines.problem(
                    "the line has \(words.count) fields, but a job in SWF has \(Field.count)",
                    hint: "is it a file in the Standard Workload Format, and unpacked?")
            }
            for (index, word) in words.enumerated() {
                guard let value = lines.number(word) else {
                    throw lines.problem(
                        "field \(index + 1) is \"\(shown(lines.text(word)))\", which is not a number",
                        hint: "write -1 for what is not known")
                }
                fields[index] = value
            }
            try add(fields)
        }
        trace.users = users.list
        trace.groups = groups.list.map { [$0] }
        trace.projects = groups.list
        trace.queues = queues.list
        trace.processors = trace.processors ?? nodes
        trace.notes = notes + (trace.noteOnRepeatedNames.map { [$0] } ?? [])
        trace.sortBySubmission()
        return trace
    }

    /// `; MaxProcs: 128`. Whatever else stands there is for people.
    private mutating func readHeader(_ line: String) throws(TraceError) {
        let parts = line.drop { $0 == ";" || $0 == " " || $0 == "\t" }.split(separator: ":", maxSplits: 1)
        guard parts.count == 2 else { return }
        let value = parts[1].split { $0 == " " || $0 == "\t" }
        guard let first = value.first else { return }
        switch parts[0] {
        case "MaxProcs", "MaxNodes":
            guard let count = Int(first), count == -1 || (1...Trace.mostCPUs).contains(count) else {
                throw lines.problem(
                    "\(parts[0]) is \"\(shown(String(first)))\"", hint: "write 1 to \(Trace.mostCPUs), or -1")
            }
            if count > 0 {
                if parts[0] == "MaxProcs" { trace.processors = count } else { nodes = count }
            }
        case "UnixStartTime":
            guard let seconds = Double(first), seconds.isFinite, Trace.times.contains(Timestamp(seconds: seconds))
            else {
                throw lines.problem("UnixStartTime is \"\(shown(String(first)))\"", hint: "write seconds since 1970")
            }
            start = seconds
        case "Queue":
            if let number = Int(first), value.count > 1, queueNames.count < 1000 {
                queueNames[number] = String(value[1].prefix(64))
            }
        default: break
        }
    }

    private mutating func add(_ fields: [Double]) throws(TraceError) {
        if (2...4).contains(fields[Field.status]) { return parts += 1 }
        guard fields[Field.submit] >= 0 else { return withoutSubmission += 1 }
        guard fields[Field.runTime] > 0 else { return neverRan += 1 }
        let given = [fields[Field.processors], fields[Field.requestedProcessors]].first { $0 >= 1 }
        guard let processors = given else { return withoutProcessors += 1 }
        guard processors <= Double(Trace.mostCPUs) else {
            throw lines.problem("a job with \(significant(processors)) processors", hint: "at most \(Trace.mostCPUs)")
        }
        let submit = Timestamp(seconds: start + fields[Field.submit])
        guard Trace.times.contains(submit) else {
            throw lines.problem("a job is submitted \(significant(fields[Field.submit])) s after the start")
        }
        guard fields[Field.runTime] <= Trace.longestRun else {
            throw lines.problem(
                "a job ran for \(significant(fields[Field.runTime])) s", hint: "at most ten years; the unit is seconds")
        }
        guard trace.jobs.count < Trace.maximumJobs else {
            throw lines.problem("there are more than \(Trace.maximumJobs) jobs", hint: "cut the trace into parts")
        }
        let cpus = Int(processors)
        let kibibytes = [fields[Field.requestedMemory], fields[Field.usedMemory]].first { $0 > 0 } ?? 0
        let memory = min(kibibytes * 1024 * Double(cpus), 1e15)
        let limit = fields[Field.requestedTime]
        trace.jobs.append(
            TraceJob(
                name: "\(Int64(saturating: fields[Field.number]))", submit: submit, runTime: fields[Field.runTime],
                request: ResourceVector(
                    cpus: cpus, memory: max(.mebibytes(1), ByteSize(bytes: Int64(saturating: memory)))),
                timeLimit: limit > 0 ? min(max(limit, 1), Trace.longestRun) : nil,
                recordedWait: fields[Field.wait] >= 0 ? fields[Field.wait] : nil,
                user: place("user", fields[Field.user], &users), project: place("group", fields[Field.group], &groups),
                group: place("group", fields[Field.group], &groups), queue: queue(fields[Field.queue]),
                application: fields[Field.application] >= 0
                    ? Int32(clamping: Int64(saturating: fields[Field.application])) : -1))
    }

    private func place(_ word: String, _ value: Double, _ names: inout Names) -> Int32 {
        value < 0 ? -1 : names.number(of: word + "\(Int64(saturating: value))")
    }

    private mutating func queue(_ value: Double) -> Int32 {
        guard value >= 0 else { return -1 }
        let number = Int64(saturating: value)
        return queues.number(of: queueNames[Int(number)] ?? "queue\(number)")
    }

    private var notes: [String] {
        let causes = [
            (neverRan, "that never ran"), (withoutProcessors, "without a number of processors"),
            (withoutSubmission, "without a time of submission"), (parts, "that stand for parts of other lines"),
        ]
        return causes.filter { $0.0 > 0 }.map { "left out \($0.0) of the trace's lines \($0.1)" }
    }
}
