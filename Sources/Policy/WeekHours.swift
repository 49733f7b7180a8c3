package import Units

/// Hours of the week in UTC, for rules and reservations: what recurs needs no calendar.
package struct WeekHours: Hashable, Sendable {
    /// Hours of the day, 0 to 23; nil for all.
    package var hours: Set<Int>?
    /// Days of the week, Monday is 0; nil for all.
    package var weekdays: Set<Int>?

    package init(hours: Set<Int>? = nil, weekdays: Set<Int>? = nil) {
        self.hours = hours
        self.weekdays = weekdays
    }

    package var isAlways: Bool { hours == nil && weekdays == nil }

    package func contains(_ time: Timestamp) -> Bool {
        (hours?.contains(time.hourOfDay) ?? true) && (weekdays?.contains(time.dayOfWeek) ?? true)
    }

    /// The first moment after `time` at which ``contains(_:)`` answers otherwise; nil when it never does.
    package func nextChange(after time: Timestamp) -> Timestamp? {
        if isAlways { return nil }
        let now = contains(time)
        var next = time
        for _ in 0...(7 * 24) {
            let later = next.nextHour
            if later <= next { return nil }
            next = later
            if contains(next) != now { return next }
        }
        return nil
    }
}

extension Timestamp {
    private static let hour: Int64 = 3_600_000_000

    /// Whole hours since 1970, rounded down.
    private var hours: Int64 {
        let quotient = microseconds / Self.hour
        return microseconds % Self.hour < 0 ? quotient - 1 : quotient
    }

    /// The hour of the day in UTC, 0 to 23.
    var hourOfDay: Int { Int(((hours % 24) + 24) % 24) }

    /// The day of the week in UTC; Monday is 0. 1970 began on a Thursday.
    var dayOfWeek: Int {
        let days = (hours - Int64(hourOfDay)) / 24
        return Int((((days + 3) % 7) + 7) % 7)
    }

    /// The start of the next hour.
    var nextHour: Timestamp {
        let (product, overflow) = (hours + 1).multipliedReportingOverflow(by: Self.hour)
        return Timestamp(microseconds: overflow ? .max : product)
    }

    /// The first moment after this one at which a clock in UTC shows `time`.
    func next(_ time: TimeOfDay) -> Timestamp {
        let day = CalendarPeriod.day.interval(containing: self)
        let today = day.lowerBound.later(by: Int64(time.minutes) * 60_000_000)
        return today > self ? today : day.upperBound.later(by: Int64(time.minutes) * 60_000_000)
    }

    /// A time of the far future plus some more stays in range: it may come from the wire.
    func later(by duration: Duration) -> Timestamp { later(by: Int64(saturating: duration.seconds * 1e6)) }

    private func later(by microseconds: Int64) -> Timestamp {
        let (sum, overflow) = self.microseconds.addingReportingOverflow(microseconds)
        return Timestamp(microseconds: overflow ? .max : sum)
    }
}

/// What a clock shows, in UTC.
package struct TimeOfDay: Hashable, Sendable, CustomStringConvertible {
    /// Since midnight, 0 to 1439.
    package var minutes: Int

    package var description: String {
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return two(minutes / 60) + ":" + two(minutes % 60)
    }

    /// Reads `22:00` or `6:30`; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            (1...2).contains(parts[0].utf8.count), parts[1].utf8.count == 2, let hour = Int(parts[0]),
            let minute = Int(parts[1]), hour < 24, minute < 60
        else { return nil }
        minutes = hour * 60 + minute
    }
}
