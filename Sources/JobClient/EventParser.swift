/// One event of a stream: the fields that matter here.
package struct ServerSentEvent: Hashable, Sendable {
    /// `message` unless the stream names another.
    package var name: String
    package var data: String
    /// Nil where the event has none of its own.
    package var id: String?

    package init(name: String, data: String, id: String? = nil) {
        self.name = name
        self.data = data
        self.id = id
    }
}

/// Splits a byte stream into server-sent events (HTML standard, section 9.2.6).
///
/// The stream is hostile: lines and events are bounded, and any cut between chunks is fine. Comments, `retry` and unknown
/// fields are passed over; an event the stream ends in the middle of is dropped, as the standard says.
package struct EventParser: Sendable {
    package struct Overflow: Error, Hashable, Sendable, CustomStringConvertible {
        package var limit: Int

        package init(limit: Int) {
            self.limit = limit
        }

        package var description: String { "an event is larger than \(limit) bytes" }
    }

    /// The most bytes a line, or the data of one event, may have.
    package let limit: Int
    private var line: [UInt8] = []
    private var name = ""
    private var id: String?
    private var data: [UInt8] = []
    private var hasData = false
    private var afterCarriageReturn = false
    private var isFirstLine = true

    package init(limit: Int = 1 << 20) {
        self.limit = limit
    }

    /// Takes the next bytes and returns the events they complete.
    package mutating func feed(_ bytes: some Sequence<UInt8>) throws(Overflow) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        for byte in bytes {
            if byte == 0x0A, afterCarriageReturn {
                // The second half of a CR LF, maybe in another chunk.
                afterCarriageReturn = false
                continue
            }
            afterCarriageReturn = byte == 0x0D
            if byte == 0x0A || byte == 0x0D {
                if let event = try endLine() { events.append(event) }
            } else {
                guard line.count < limit else { throw Overflow(limit: limit) }
                line.append(byte)
            }
        }
        return events
    }

    private mutating func endLine() throws(Overflow) -> ServerSentEvent? {
        defer { line.removeAll(keepingCapacity: true) }
        var content = line[...]
        if isFirstLine {
            isFirstLine = false
            if content.starts(with: [0xEF, 0xBB, 0xBF]) { content = content.dropFirst(3) }
        }
        if content.isEmpty { return dispatch() }
        let field = content.prefix { $0 != UInt8(ascii: ":") }
        var value = content.dropFirst(field.count + 1)
        if value.first == 0x20 { value = value.dropFirst() }
        switch String(decoding: field, as: UTF8.self) {
        case "event": name = String(decoding: value, as: UTF8.self)
        case "data":
            guard data.count + value.count < limit else { throw Overflow(limit: limit) }
            if hasData { data.append(0x0A) }
            data.append(contentsOf: value)
            hasData = true
        case "id": if !value.contains(0) { id = String(decoding: value, as: UTF8.self) }
        default: break
        }
        return nil
    }

    private mutating func dispatch() -> ServerSentEvent? {
        defer {
            name = ""
            id = nil
            data.removeAll(keepingCapacity: true)
            hasData = false
        }
        guard hasData else { return nil }
        return ServerSentEvent(
            name: name.isEmpty ? "message" : name, data: String(decoding: data, as: UTF8.self), id: id)
    }
}
