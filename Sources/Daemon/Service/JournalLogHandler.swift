import Glibc
import LinuxSystem
import Logging
import Units

/// Writes what is logged to the journal where standard error is the journal: as entries with fields, by which a job's story is found.
/// Else lines to standard error, with the time for a person.
struct JournalLogHandler: LogHandler {
    /// Where it goes.
    enum Sink: Sendable {
        case journal(Journal)
        /// Lines with a priority, which systemd reads from standard error and passes on.
        case systemd
        case lines
    }

    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info
    private let sink: Sink

    init(sink: Sink) {
        self.sink = sink
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let values = metadata.merging(event.metadata ?? [:]) { $1 }
        let text = Self.text(event, values)
        switch sink {
        case .journal(let journal):
            let sent = journal.send(Self.fields(event.level, text, values))
            // Then the other way, which is systemd's too: nothing that is said is lost for want of its fields.
            if !sent { write("<\(Self.priority(event.level))>", text) }
        case .systemd: write("<\(Self.priority(event.level))>", text)
        case .lines: write("\(Timestamp.now()) \(event.level) ", text)
        }
    }

    /// What a person reads: the message, then what it is about. What is for fields alone is left out.
    private static func text(_ event: LogEvent, _ values: Logger.Metadata) -> String {
        let details = values.sorted { $0.key < $1.key }.filter { $0.key != "event" }
        let words = details.map { " \($0.key)=\($0.value)" }.joined()
        // A job's words may stand in a message: no control byte reaches the terminal or splits a line.
        var text = ""
        text.unicodeScalars.append(
            contentsOf: "\(event.message)\(words)".unicodeScalars.map {
                $0.value < 0x20 || $0.value == 0x7F ? "\u{FFFD}" : $0
            })
        return text
    }

    /// The fields of an entry. What is known of a message becomes `MLD_` and its name in capitals; of a job it is `MLD_JOB_ID`.
    static func fields(
        _ level: Logger.Level, _ text: String, _ values: Logger.Metadata
    ) -> [(name: String, value: String)] {
        var fields = [
            (name: "MESSAGE", value: text), (name: "PRIORITY", value: "\(priority(level))"),
            (name: "SYSLOG_IDENTIFIER", value: "mld"),
        ]
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            let name = key == "job" ? "JOB_ID" : key.uppercased().replacing("-", with: "_")
            guard name.utf8.allSatisfy({ (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F })
            else { continue }
            fields.append((name: "MLD_" + name, value: "\(value)"))
        }
        return fields
    }

    private func write(_ start: String, _ text: String) {
        // One write a line, so that lines of several threads do not mix.
        let line = start + text + "\n"
        _ = line.withCString { Glibc.write(STDERR_FILENO, $0, strlen($0)) }
    }

    /// The levels of syslog(3).
    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}

extension JournalLogHandler.Sink {
    /// Where standard error leads.
    static func standardError(
        _ environment: [String: String] = Daemon.environment(), descriptor: Int32 = STDERR_FILENO,
        socket: String = Journal.usualSocket
    ) -> Self {
        guard Journal.takes(descriptor, stream: environment["JOURNAL_STREAM"]) else { return .lines }
        return Journal(path: socket).map(Self.journal) ?? .systemd
    }
}
