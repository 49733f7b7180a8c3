/// A stretch of the calendar in UTC that allowances are counted over. It starts anew with the calendar, not with the first use:
/// the week on Monday, the month on its first day.
package enum CalendarPeriod: String, CaseIterable, Sendable, Codable {
    case day, week, month, year

    /// The period that `time` lies in: from its first microsecond until before the next one's.
    ///
    /// Years beyond what a ``Timestamp`` can say end at its limit.
    package func interval(containing time: Timestamp) -> Range<Timestamp> {
        let day = Self.day(of: time)
        let (first, next): (Int64, Int64)
        switch self {
        case .day: (first, next) = (day, day + 1)
        case .week:
            // Day 0, 1970-01-01, was a Thursday.
            let monday = day - Self.modulo(day + 3, 7)
            (first, next) = (monday, monday + 7)
        case .month:
            let date = Self.date(ofDay: day)
            let isLast = date.month == 12
            first = Self.day(year: date.year, month: date.month)
            next = Self.day(year: isLast ? date.year + 1 : date.year, month: isLast ? 1 : date.month + 1)
        case .year:
            let year = Self.date(ofDay: day).year
            (first, next) = (Self.day(year: year, month: 1), Self.day(year: year + 1, month: 1))
        }
        return Self.start(ofDay: first)..<Self.start(ofDay: next)
    }

    // MARK: - The Gregorian calendar in whole days since 1970

    private static let microseconds: Int64 = 86_400_000_000

    private static func modulo(_ a: Int64, _ b: Int64) -> Int64 { ((a % b) + b) % b }
    private static func floored(_ a: Int64, _ b: Int64) -> Int64 { a / b - (a % b < 0 ? 1 : 0) }

    private static func day(of time: Timestamp) -> Int64 { floored(time.microseconds, microseconds) }

    private static func start(ofDay day: Int64) -> Timestamp {
        let (product, overflow) = day.multipliedReportingOverflow(by: microseconds)
        return Timestamp(microseconds: overflow ? (day < 0 ? .min : .max) : product)
    }

    /// The first of a month. The year is taken to begin in March, so that the leap day is its last: Hinnant, "chrono-compatible
    /// low-level date algorithms", `days_from_civil`.
    private static func day(year: Int64, month: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = floored(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The same source, `civil_from_days`.
    private static func date(ofDay day: Int64) -> (year: Int64, month: Int64) {
        let shifted = day + 719_468
        let era = floored(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month)
    }
}
