import Hummingbird
import JobAPI
import Units

/// The query string of a request, parsed with answers a person understands.
struct Query {
    private let request: Request

    init(_ request: Request) {
        self.request = request
    }

    func text(_ key: String) -> String? { request.uri.queryParameters[key[...]].map(String.init) }

    func integer(_ key: String) throws(APIError) -> Int? {
        guard let text = text(key) else { return nil }
        guard let value = Int(text), value >= 0 else {
            throw APIError(.invalidRequest, "\"\(key)\" must be a number, not \"\(text.prefix(40))\"")
        }
        return value
    }

    func choice<T: RawRepresentable<String> & CaseIterable>(_ key: String, _ type: T.Type) throws(APIError) -> T? {
        guard let text = text(key) else { return nil }
        guard let value = T(rawValue: text) else {
            throw APIError(
                .invalidRequest, "\"\(key)\" cannot be \"\(text.prefix(40))\"",
                hint: "one of " + T.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return value
    }

    func time(_ key: String) throws(APIError) -> Timestamp? {
        guard let text = text(key) else { return nil }
        do { return try Timestamp(parsing: text) } catch {
            throw APIError(.invalidRequest, "\"\(key)\": \(error)")
        }
    }
}
