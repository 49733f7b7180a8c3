package import ConfigFile

/// What every failed call answers: `{"error": {"code", "message", "hint", "details"}}`.
package struct APIError: Error, Codable, Hashable, Sendable {
    /// Stable words for programs.
    package enum Code: String, Codable, Sendable, CaseIterable {
        case invalidRequest = "invalid-request"
        case notFound = "not-found"
        case forbidden
        case refused
        case tooLarge = "too-large"
        case conflict
        /// The number is that of an array: see `/v1/arrays/ID`.
        case isArray = "is-array"
        case storage
        case internalError = "internal"
    }

    package var code: Code
    /// What happened.
    package var message: String
    /// What to do about it.
    package var hint: String?
    /// Problems of a submitted document, each with its line.
    package var details: [ConfigProblem]?

    package init(_ code: Code, _ message: String, hint: String? = nil, details: [ConfigProblem]? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.details = details
    }

    package var httpStatus: Int {
        switch code {
        case .invalidRequest: 400
        case .forbidden: 403
        case .notFound: 404
        case .conflict, .isArray: 409
        case .tooLarge: 413
        case .refused: 422
        case .internalError: 500
        case .storage: 507
        }
    }

    package struct Envelope: Codable, Sendable {
        package var error: APIError

        package init(_ error: APIError) {
            self.error = error
        }
    }
}

extension APIError: CustomStringConvertible {
    package var description: String {
        var lines = [message]
        lines += (details ?? []).map { "  " + $0.description }
        if let hint { lines.append("hint: " + hint) }
        return lines.joined(separator: "\n")
    }
}
