import Units

/// Times as files and services write them: `2026-11-24T08:00:00Z`, with an offset, without seconds, with a fraction of them, with
/// a space for the `T`; without a zone it is UTC.
enum SignalTime {
    /// - Returns: nil for what is no time of the years 1900 to 2999.
    static func parse(_ text: some StringProtocol) -> Timestamp? {
        var bytes = Bytes(rest: text.utf8.map { $0 }[...])
        guard bytes.rest.count <= 40, let year = bytes.number(4), bytes.take("-"), let month = bytes.number(2),
            bytes.take("-"), let day = bytes.number(2), (1900...2999).contains(year), (1...12).contains(month),
            (1...days(of: month, year)).contains(day)
        else { return nil }
        var seconds = daysSince1970(year, month, day) * 86400
        if bytes.rest.isEmpty { return Timestamp(microseconds: seconds * 1_000_000) }
        guard bytes.take("T") || bytes.take("t") || bytes.take(" "), let hour = bytes.number(2), bytes.take(":"),
            let minute = bytes.number(2), hour < 24, minute < 60
        else { return nil }
        seconds += hour * 3600 + minute * 60
        var microseconds: Int64 = 0
        if bytes.take(":") {
            guard let second = bytes.number(2), second < 60 else { return nil }
            seconds += second
            if bytes.take(".") {
                guard let fraction = bytes.fraction() else { return nil }
                microseconds = fraction
            }
        }
        guard let offset = bytes.offset(), bytes.rest.isEmpty else { return nil }
        return Timestamp(microseconds: (seconds - offset) * 1_000_000 + microseconds)
    }

    private static func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func days(of month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// The days of the years before, with their leap days, and those of the months before.
    private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        func leapDays(before year: Int64) -> Int64 { (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400 }
        let years = (year - 1970) * 365 + leapDays(before: year) - leapDays(before: 1970)
        return (1..<month).reduce(years) { $0 + days(of: $1, year) } + day - 1
    }

    private struct Bytes {
        var rest: ArraySlice<UInt8>

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: character) else { return false }
            rest.removeFirst()
            return true
        }

        /// Exactly so many digits.
        mutating func number(_ digits: Int) -> Int64? {
            guard rest.count >= digits else { return nil }
            var number: Int64 = 0
            for byte in rest.prefix(digits) {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                number = number * 10 + Int64(byte - UInt8(ascii: "0"))
            }
            rest.removeFirst(digits)
            return number
        }

        /// In microseconds; what is finer is dropped.
        mutating func fraction() -> Int64? {
            var scale: Int64 = 1_000_000
            var sum: Int64 = 0
            var digits = 0
            while let digit = number(1) {
                scale /= 10
                sum += digit * scale
                digits += 1
            }
            return digits > 0 ? sum : nil
        }

        /// `Z`, `+01:00`, `+0100`, `+01`, or nothing; in seconds.
        mutating func offset() -> Int64? {
            _ = take(" ")
            if rest.isEmpty || take("Z") || take("z") { return 0 }
            let sign: Int64 = take("+") ? 1 : take("-") ? -1 : 0
            guard sign != 0, let hours = number(2), hours <= 15 else { return nil }
            if rest.isEmpty { return sign * hours * 3600 }
            _ = take(":")
            guard let minutes = number(2), minutes < 60 else { return nil }
            return sign * (hours * 3600 + minutes * 60)
        }
    }
}
