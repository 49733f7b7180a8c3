import Glibc
import Logging
import Synchronization
import Units

/// Writes log lines to standard error: with a priority prefix for the journal when systemd reads them, with the time for
/// a person otherwise.
struct JournalLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info
    private let isJournal: Bool

    init(label: String) {
        isJournal = getenv("JOURNAL_STREAM") != nil
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let values = metadata.merging(event.metadata ?? [:]) { $1 }
        let details = values.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        // A job's words may stand in a message: no control byte reaches the terminal or splits a line.
        let text = "\(event.message)\(details)".unicodeScalars.map {
            $0.value < 0x20 || $0.value == 0x7F ? "\u{FFFD}" : $0
        }
        let start = isJournal ? "<\(priority(event.level))>" : "\(Timestamp.now()) \(event.level) "
        var line = start
        line.unicodeScalars.append(contentsOf: text)
        line += "\n"
        // One write a line, so that lines of several threads do not mix.
        _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }

    /// The levels of syslog(3).
    private func priority(_ level: Logger.Level) -> Int {
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
