import Units

/// When the meters were read: by the clock that people use and may set, and by the one of the boot.
struct ReadingTime: Sendable, Hashable {
    var at: Timestamp
    /// Nil where it was not written down.
    var boot: Boot?

    struct Boot: Sendable, Hashable {
        var id: String
        var uptime: Uptime
    }

    init(at: Timestamp, boot: Boot?) {
        self.at = at
        self.boot = boot
    }
}

extension ReadingTime.Boot {
    /// As the ledger keeps it: the boot's id and nanoseconds.
    var text: String { "\(id) \(uptime.nanoseconds)" }

    /// Nil for what no daemon wrote.
    init?(parsing text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 2, !words[0].isEmpty, let nanoseconds = Int64(words[1]), nanoseconds >= 0 else {
            return nil
        }
        self.init(id: String(words[0]), uptime: Uptime(nanoseconds: nanoseconds))
    }
}
