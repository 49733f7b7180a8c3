/// A period put together from as few rows as will do: days in its middle, hours and minutes towards its ends.
struct SpanPeriod {
    struct Piece: Equatable {
        var level: SpanLevel
        var from: Minute
        var until: Minute
    }

    private(set) var pieces: [Piece] = []
    /// The period that is really covered: ends that lie where minutes or hours are dropped reach to the next whole hour or
    /// day.
    let from: Minute
    let until: Minute

    init(from: Minute, until: Minute, _ frontiers: Frontiers) {
        func step(at minute: Minute) -> Int64 {
            minute < frontiers.hoursKept
                ? SpanLevel.day.minutes : minute < frontiers.minutesKept ? SpanLevel.hour.minutes : 1
        }
        let from = from.floored(to: step(at: from))
        let until = until.ceiled(to: step(at: until))
        self.from = from
        self.until = until
        cover(.day, from, until, frontiers)
    }

    /// The whole history.
    static func all(_ frontiers: Frontiers) -> SpanPeriod {
        SpanPeriod(from: -(1 << 50), until: 1 << 50, frontiers)
    }

    private mutating func cover(_ level: SpanLevel, _ from: Minute, _ until: Minute, _ frontiers: Frontiers) {
        guard from < until else { return }
        guard let finer = level.finer else {
            pieces.append(Piece(level: level, from: from, until: until))
            return
        }
        let frontier = level == .day ? frontiers.days : frontiers.hours
        let first = from.ceiled(to: level.minutes)
        let last = min(until.floored(to: level.minutes), frontier)
        guard first < last else { return cover(finer, from, until, frontiers) }
        cover(finer, from, first, frontiers)
        pieces.append(Piece(level: level, from: first, until: last))
        cover(finer, last, until, frontiers)
    }

    /// The rows of the accounts' shares as a parenthesised query.
    /// - Parameter condition: on its columns; repeated in every part, so that each can use its index.
    func spans(where condition: String = "1") -> String { union({ $0.spans }, condition) }

    /// The rows of what the meters said as a parenthesised query.
    func domains() -> String { union({ $0.domains }, "1") }

    private func union(_ table: (SpanLevel) -> String, _ condition: String) -> String {
        let parts = pieces.map {
            "SELECT * FROM \(table($0.level)) WHERE minute >= \($0.from) AND minute < \($0.until) AND (\(condition))"
        }
        // A period without length has no rows, and still columns.
        return "("
            + (parts.isEmpty ? "SELECT * FROM \(table(.minute)) WHERE 0" : parts.joined(separator: " UNION ALL "))
            + ")"
    }
}
