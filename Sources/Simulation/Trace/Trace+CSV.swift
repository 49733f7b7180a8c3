import JobAPI
import Scheduling
import Units

extension Trace {
    /// Reads jobs from CSV: a header with the names of the columns in any order, then a line per job.
    ///
    /// | column | what |
    /// |---|---|
    /// | `job` | its name; required |
    /// | `submit` | RFC 3339 time of submission; required |
    /// | `duration_min` | how long it computes, in minutes; required |
    /// | `deadline` | RFC 3339 time by which it shall have ended; empty for none |
    /// | `interruptible` | `true` or `false` (also when empty) |
    /// | `cpus`, `gpus` | how many it holds; 1 and 0 when empty |
    /// | `gpu_memory` | of each GPU, a size such as `16 GiB`; whole GPUs when empty |
    /// | `gpu_model` | words of the name of its GPUs; any when empty |
    /// | `gpu_share` | `false`: it would not share its GPUs |
    /// | `memory` | a size such as `4 GiB`; 1 MiB when empty, so that memory keeps nobody waiting |
    /// | `power_w` | what it draws while it computes, in watts beyond the idle machine; what the machine says when empty |
    /// | `user`, `project`, `queue` | names; empty for none |
    /// | `time_limit_min` | what its owner stated as its limit, in minutes; empty for none |
    ///
    /// Fields may be quoted as in RFC 4180, but not hold the end of a line. Lines that are empty or start with `#` are passed over.
    package static func csv(_ text: String, file: String) throws(TraceError) -> Trace {
        var reader = try CSVReader(text, file: file)
        return try reader.read()
    }
}

private enum Column: String, CaseIterable {
    case job, submit
    case duration = "duration_min"
    case deadline, interruptible, cpus, gpus
    case gpuMemory = "gpu_memory"
    case gpuModel = "gpu_model"
    case gpuShare = "gpu_share"
    case memory
    case power = "power_w"
    case user, project, queue
    case timeLimit = "time_limit_min"

    static let required: [Column] = [.job, .submit, .duration]
}

private struct CSVReader {
    var lines: TraceLines
    var columns: [Column] = []
    var fields: [String] = []
    var trace = Trace()
    var users = Names()
    var projects = Names()
    var queues = Names()
    var models = Names()
    /// Of the line, where it says so.
    var gpuShare: Bool?

    init(_ text: String, file: String) throws(TraceError) { lines = try TraceLines(text, file: file) }

    mutating func read() throws(TraceError) -> Trace {
        while let line = try lines.nextLine() {
            if line.isEmpty || lines.bytes[line.lowerBound] == UInt8(ascii: "#") { continue }
            try split(line)
            if columns.isEmpty { try readHeader() } else { try add() }
        }
        guard !columns.isEmpty else {
            throw TraceError(
                file: lines.file, line: 0, "the trace is empty",
                hint: "its first line must name the columns: job,submit,duration_min,deadline,interruptible")
        }
        trace.users = users.list
        trace.projects = projects.list
        trace.queues = queues.list
        trace.gpuModels = models.list
        trace.notes += trace.noteOnRepeatedNames.map { [$0] } ?? []
        trace.sortBySubmission()
        return trace
    }

    private mutating func readHeader() throws(TraceError) {
        let names = Column.allCases.map(\.rawValue)
        for name in fields {
            guard let column = Column(rawValue: name) else {
                let near = nearest(name, among: names).map { "did you mean \"\($0)\"? " } ?? ""
                throw lines.problem(
                    "unknown column \"\(shown(name))\"", hint: near + "columns: " + names.joined(separator: ", "))
            }
            if columns.contains(column) {
                throw lines.problem("the column \"\(name)\" is there twice", hint: "keep one of them")
            }
            columns.append(column)
        }
        for column in Column.required where !columns.contains(column) {
            throw lines.problem(
                "there is no column \"\(column.rawValue)\"",
                hint: "required are " + Column.required.map(\.rawValue).joined(separator: ", "))
        }
    }

    // MARK: - A job

    private mutating func add() throws(TraceError) {
        guard fields.count == columns.count else {
            throw lines.problem("the line has \(fields.count) fields, the header \(columns.count)")
        }
        guard trace.jobs.count < Trace.maximumJobs else {
            throw lines.problem("there are more than \(Trace.maximumJobs) jobs", hint: "cut the trace into parts")
        }
        var job = TraceJob(
            name: "", submit: Timestamp(microseconds: 0), runTime: 0,
            request: ResourceVector(cpus: 1, memory: .mebibytes(1)))
        gpuShare = nil
        for (column, text) in zip(columns, fields) {
            if text.isEmpty {
                if Column.required.contains(column) { throw lines.problem("\(column.rawValue) is empty") }
                continue
            }
            try set(column, text, of: &job)
        }
        job.request.card.mayShare = job.request.gpus > 0 && job.request.card.mebibytes > 0 && gpuShare != false
        trace.jobs.append(job)
    }

    private mutating func set(_ column: Column, _ text: String, of job: inout TraceJob) throws(TraceError) {
        switch column {
        case .job: job.name = try name(text, column)
        case .submit: job.submit = try time(text, column)
        case .duration: job.runTime = try minutes(text, column)
        case .deadline: job.deadline = try time(text, column)
        case .interruptible:
            job.interruptible = try boolean(text, column)
        case .cpus: job.request.cpus = try count(text, column, from: 1)
        case .gpus: job.request.gpus = try count(text, column, from: 0)
        case .gpuMemory: job.request.card = CardNeed(memory: try size(text, column))
        case .gpuModel:
            guard GPUModel.problem(text) == nil else { throw wrong(column, text, "words of a card's name") }
            job.gpuModel = models.number(of: text)
        case .gpuShare: gpuShare = try boolean(text, column)
        case .memory: job.request.memory = try size(text, column)
        case .power:
            guard let watts = Double(text), (0...1e6).contains(watts) else {
                throw wrong(column, text, "0 to 1000000 watts")
            }
            job.power = watts
        case .user: job.user = users.number(of: try name(text, column))
        case .project: job.project = projects.number(of: try name(text, column))
        case .queue: job.queue = queues.number(of: try name(text, column))
        case .timeLimit: job.timeLimit = max(1, try minutes(text, column))
        }
    }

    private func wrong(_ column: Column, _ text: String, _ expected: String) -> TraceError {
        lines.problem("\(column.rawValue) is \"\(shown(text))\", which is not \(expected)")
    }

    private func name(_ text: String, _ column: Column) throws(TraceError) -> String {
        let isPlain = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
        guard isPlain, text.utf8.count <= 64 else {
            throw wrong(column, text, "a name of at most 64 bytes without control characters")
        }
        return text
    }

    private func minutes(_ text: String, _ column: Column) throws(TraceError) -> Double {
        guard let minutes = Double(text), minutes > 0, minutes * 60 <= Trace.longestRun else {
            throw wrong(column, text, "a time in minutes, more than 0 and at most ten years")
        }
        return minutes * 60
    }

    private func boolean(_ text: String, _ column: Column) throws(TraceError) -> Bool {
        guard text == "true" || text == "false" else { throw wrong(column, text, "\"true\" or \"false\"") }
        return text == "true"
    }

    private func size(_ text: String, _ column: Column) throws(TraceError) -> ByteSize {
        guard let size = try? ByteSize(parsing: text), size <= ByteSize(bytes: 1 << 50) else {
            throw wrong(column, text, "a size up to 1 PiB, such as 4 GiB")
        }
        return max(.mebibytes(1), size)
    }

    private func count(_ text: String, _ column: Column, from least: Int) throws(TraceError) -> Int {
        guard let count = Int(text), (least...Trace.mostCPUs).contains(count) else {
            throw wrong(column, text, "\(least) to \(Trace.mostCPUs)")
        }
        return count
    }

    private func time(_ text: String, _ column: Column) throws(TraceError) -> Timestamp {
        // The general parser is not asked about what only looks plain: to it February 30th is in March.
        let isPlain = text.utf8.count == 20 && text.hasSuffix("Z")
        let time = isPlain ? plainUTC(text) : try? Timestamp(parsing: text)
        guard let time, Trace.times.contains(time) else {
            throw wrong(column, text, "a time such as 2026-11-24T08:00:00Z")
        }
        return time
    }

    // MARK: - Fields

    /// The fields of a line, unquoted.
    private mutating func split(_ line: Range<Int>) throws(TraceError) {
        fields.removeAll(keepingCapacity: true)
        let quote = UInt8(ascii: "\"")
        var index = line.lowerBound
        while true {
            if index < line.upperBound, lines.bytes[index] == quote {
                var content: [UInt8] = []
                index += 1
                while true {
                    guard index < line.upperBound else {
                        throw lines.problem("a quoted field is not closed", hint: "close it on the same line")
                    }
                    let byte = lines.bytes[index]
                    index += 1
                    if byte != quote {
                        content.append(byte)
                    } else if index < line.upperBound, lines.bytes[index] == quote {
                        content.append(quote)
                        index += 1
                    } else {
                        break
                    }
                }
                fields.append(String(decoding: content, as: UTF8.self))
            } else {
                let start = index
                while index < line.upperBound, lines.bytes[index] != UInt8(ascii: ",") { index += 1 }
                fields.append(trimmed(start..<index))
            }
            if index == line.upperBound { return }
            guard lines.bytes[index] == UInt8(ascii: ",") else {
                throw lines.problem(
                    "there is text behind a closing quote", hint: "double a quote inside a quoted field")
            }
            index += 1
        }
    }

    private func trimmed(_ range: Range<Int>) -> String {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, TraceLines.isBlank(lines.bytes[start]) { start += 1 }
        while end > start, TraceLines.isBlank(lines.bytes[end - 1]) { end -= 1 }
        return lines.text(start..<end)
    }
}
