/// A signal a job may ask for as a warning, by its name.
package enum JobSignal: String, Codable, Hashable, Sendable, CaseIterable {
    case hup = "HUP"
    case int = "INT"
    case quit = "QUIT"
    case usr1 = "USR1"
    case usr2 = "USR2"
    case term = "TERM"

    /// Their names, for people.
    package static let known = allCases.map(\.rawValue).joined(separator: ", ")

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let signal = JobSignal(rawValue: text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "\"\(text.prefix(40))\" is no signal to warn with; it is one of \(Self.known)"
            )
        }
        self = signal
    }

    /// `USR1` or `SIGUSR1`, in any case; nil for anything else.
    package init?(named text: String) {
        let name = text.uppercased()
        self.init(rawValue: name.hasPrefix("SIG") ? String(name.dropFirst(3)) : name)
    }
}
