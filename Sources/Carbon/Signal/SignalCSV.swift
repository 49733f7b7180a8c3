import Units

/// Reads intensity or prices from comma-separated values with a header line.
///
/// One column is the time at which a figure begins to hold, one the figure; a column whose name holds `forecast` is the forecast
/// of the same moment. `docs/carbon.md` lists the names that are known.
package enum SignalCSV {
    package static let mostBytes = 64 << 20

    /// - Parameters:
    ///   - name: of the file, for messages.
    ///   - column: the header of the column to read; nil chooses by the names that are known.
    ///   - isForecast: whether all of the file is a forecast.
    package static func read(
        _ bytes: [UInt8], name: String, quantity: SignalQuantity, column: String? = nil, isForecast: Bool = false
    ) throws(CarbonError) -> SignalReading {
        guard bytes.count <= mostBytes else {
            throw CarbonError(.badSignal, "\(name) has \(bytes.count) bytes; at most \(mostBytes) are read")
        }
        var header: SignalHeader?
        var measured: [(time: Timestamp, value: Double)] = []
        var forecast = measured
        var last: Timestamp?
        var number = 0
        for slice in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            var line = slice.last == UInt8(ascii: "\r") ? slice.dropLast() : slice
            if number == 1, line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
            if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
            guard let fields = SignalCSV.fields(line) else {
                throw CarbonError(.badSignal, "\(name):\(number): a quoted field does not end on its line")
            }
            guard let header else {
                header = try SignalHeader(fields, place: "\(name):\(number)", quantity: quantity, column: column)
                continue
            }
            let place = "\(name):\(number)"
            guard fields.count == header.count else {
                throw CarbonError(
                    .badSignal, "\(place): \(fields.count) fields, but the header names \(header.count)")
            }
            guard let time = SignalTime.parse(fields[header.time]) else {
                throw CarbonError(
                    .badSignal, "\(place): \"\(fields[header.time].prefix(40))\" is not a time",
                    hint: "write it as \"2026-11-24T08:00:00Z\", with an offset, or as \"2026-11-24 08:00:00\" in UTC")
            }
            if let last, time <= last {
                throw CarbonError(
                    .badSignal, "\(place): \(time) is not after the time of the line before",
                    hint: "times without a zone are UTC: local ones repeat an hour in autumn")
            }
            last = time
            let value = try header.value(fields, header.value, place: place, quantity: quantity)
            let ahead = try header.forecast.map { column throws(CarbonError) in
                try header.value(fields, column, place: place, quantity: quantity)
            }
            guard value != nil || ahead ?? nil != nil else {
                throw CarbonError(
                    .badSignal, "\(place): \"\(header.names[header.value])\" is empty",
                    hint: "leave the line out: a gap is filled from the other sources")
            }
            if let value { measured.append((time, value)) }
            if let ahead = ahead ?? nil { forecast.append((time, ahead)) }
            guard measured.count <= SignalSeries.mostValues else {
                throw CarbonError(.badSignal, "\(name) has more than \(SignalSeries.mostValues) lines")
            }
        }
        guard header != nil else {
            throw CarbonError(.badSignal, "\(name) is empty", hint: "the first line names the columns: time,intensity")
        }
        let hour: Int64 = 3_600_000_000
        let points = [SignalPoint].holding(measured, single: hour)
        return isForecast
            ? SignalReading(forecast: points)
            : SignalReading(measured: points, forecast: [SignalPoint].holding(forecast, single: hour))
    }

    /// Fields in quotes lose them; `""` in one is a quote. Nil where a quote is not closed.
    static func fields(_ line: ArraySlice<UInt8>) -> [String]? {
        let (quote, comma) = (UInt8(ascii: "\""), UInt8(ascii: ","))
        var fields: [String] = []
        var field: [UInt8] = []
        var index = line.startIndex
        var isQuoted = false
        while index < line.endIndex {
            let byte = line[index]
            index += 1
            if isQuoted {
                guard byte == quote else {
                    field.append(byte)
                    continue
                }
                if index < line.endIndex, line[index] == quote {
                    field.append(quote)
                    index += 1
                } else {
                    isQuoted = false
                }
            } else if byte == quote, field.isEmpty {
                isQuoted = true
            } else if byte == comma {
                fields.append(trimmed(field))
                field = []
            } else {
                field.append(byte)
            }
        }
        fields.append(trimmed(field))
        return isQuoted ? nil : fields
    }

    private static func trimmed(_ field: [UInt8]) -> String {
        let isSpace: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        let head = field.drop(while: isSpace)
        return String(decoding: head.prefix(head.count - head.reversed().prefix(while: isSpace).count), as: UTF8.self)
    }
}
