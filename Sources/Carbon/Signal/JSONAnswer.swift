import FoundationEssentials

/// Reads an answer of a web service, which may be anything.
package enum JSONAnswer {
    package static let mostBytes = 8 << 20
    /// A year of five minutes.
    static let mostRows = 110_000

    /// - Parameter service: for messages.
    static func decode<Value: Decodable>(
        _ type: Value.Type, _ bytes: [UInt8], service: String
    ) throws(CarbonError) -> Value {
        guard bytes.count <= mostBytes else {
            throw CarbonError(
                .badSignal, "\(service): \(bytes.count) bytes are too many; at most \(mostBytes) are read")
        }
        let decoder = JSONDecoder()
        if let refusal = try? decoder.decode(Refusal.self, from: Data(bytes)), let text = refusal.text {
            let printable = String(text.unicodeScalars.filter { $0.isASCII && $0.value >= 32 && $0.value != 127 })
            throw CarbonError(.badSignal, "\(service) refused: \(printable.prefix(200))")
        }
        do {
            return try decoder.decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw CarbonError(.badSignal, "\(service): " + words(error))
        } catch {
            throw CarbonError(.badSignal, "\(service): the answer cannot be read as JSON")
        }
    }

    private static func words(_ error: DecodingError) -> String {
        func path(_ keys: [any CodingKey]) -> String {
            let text = keys.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
            return String((text.hasPrefix(".") ? String(text.dropFirst()) : text).prefix(100))
        }
        switch error {
        case .keyNotFound(let key, let context): return "\(path(context.codingPath + [key])) is missing"
        case .valueNotFound(_, let context): return "\(path(context.codingPath)) is null"
        case .typeMismatch(_, let context): return "\(path(context.codingPath)) is of another type than expected"
        default: return "the answer is not the JSON it should be"
        }
    }

    /// `{"error": "..."}`, `{"error": {"code": ..., "message": "..."}}` or `{"message": "..."}` alone.
    private struct Refusal: Decodable {
        var text: String?

        private enum Key: CodingKey { case error, message }

        private struct Detail: Decodable { var message: String }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            if let plain = try? container.decode(String.self, forKey: .error) {
                text = plain
            } else if let detail = try? container.decode(Detail.self, forKey: .error) {
                text = detail.message
            } else if container.allKeys.count == 1, let plain = try? container.decode(String.self, forKey: .message) {
                text = plain
            }
        }
    }
}
