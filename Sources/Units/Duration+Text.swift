extension Duration {
    /// The whole duration in seconds.
    package var seconds: Double {
        let parts = components
        return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
    }

    /// Reads `90 s`, `15 min`, `12 h`, `7 d`, `2 w`, `5 y` (365.25 days), `250 ms`, and sums such as `1 h 30 min`.
    /// Not negative, at most 1,000 years.
    package init(parsing text: String) throws(UnitError) {
        let expected = "a duration such as \"90 s\", \"15 min\", \"1 h 30 min\" or \"7 d\""
        let factors: [String: Double] = [
            "ms": 1e-3, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604_800, "y": 31_557_600,
        ]
        var total = 0.0
        var rest = text[...]
        var parts = 0
        while true {
            rest = rest.drop { $0.isWhitespace }
            if rest.isEmpty { break }
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count).drop { $0.isWhitespace }
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let value = Double(number), let factor = factors[String(unit)] else {
                throw UnitError(text: text, expected: expected)
            }
            total += value * factor
            parts += 1
        }
        guard parts > 0, total.isFinite, total <= 1000 * 31_557_600 else {
            throw UnitError(text: text, expected: expected)
        }
        self = .milliseconds(Int64(saturating: total * 1e3))
    }

    /// For people: `0.8 s`, `45 s`, `2 min 10 s`, `3 h 5 min`, `2 d 4 h`.
    package var brief: String {
        let total = seconds
        if abs(total) < 10 { return significant(total, digits: 2) + " s" }
        let whole = Int64(saturating: total)
        switch whole {
        case ..<60: return "\(whole) s"
        case ..<3600: return "\(whole / 60) min" + (whole % 60 == 0 ? "" : " \(whole % 60) s")
        case ..<86400: return "\(whole / 3600) h" + (whole % 3600 < 60 ? "" : " \(whole % 3600 / 60) min")
        default: return "\(whole / 86400) d" + (whole % 86400 < 3600 ? "" : " \(whole % 86400 / 3600) h")
        }
    }
}
