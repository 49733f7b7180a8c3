package import ConfigFile

extension JobSpec {
    /// Who is to be told of the job's end.
    package struct Notification: Codable, Hashable, Sendable {
        /// An address, see ``isAddress(_:)``.
        package var mail: String?
        /// For which ends; nil for all of them.
        package var on: [JobState]?

        package init(mail: String? = nil, on: [JobState]? = nil) {
            self.mail = mail
            self.on = on
        }

        private enum CodingKeys: String, CodingKey, CaseIterable { case mail, on }

        package init(from decoder: any Decoder) throws {
            try decoder.rejectUnknownKeys(CodingKeys.self)
            let container = try decoder.container(keyedBy: CodingKeys.self)
            mail = try container.decodeIfPresent(String.self, forKey: .mail)
            if let mail, !Self.isAddress(mail) {
                throw DecodingError.dataCorruptedError(
                    forKey: .mail, in: container, debugDescription: "\"\(mail.prefix(80))\" is not a mail address")
            }
            on = try container.decodeIfPresent([JobState].self, forKey: .on)
            if let state = on?.first(where: { !$0.isFinal }) {
                throw DecodingError.dataCorruptedError(
                    forKey: .on, in: container, debugDescription: "\"\(state.rawValue)\" is no state a job ends in")
            }
        }

        /// Whether this is one plain address `user@host`, of characters that mean nothing else in a mail's header. Stricter than
        /// RFC 5321: no quoting, no comments, no lists, no other scripts.
        package static func isAddress(_ text: String) -> Bool {
            func isWord(_ byte: UInt8) -> Bool {
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            }
            let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
            guard parts.count == 2, text.utf8.count <= 254 else { return false }
            let user = parts[0]
            let isUser =
                (1...64).contains(user.count) && user.allSatisfy { isWord($0) || "._+-".utf8.contains($0) }
                && user.first.map(isWord) == true
            let labels = parts[1].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            let isHost = labels.allSatisfy { label in
                (1...63).contains(label.count) && label.allSatisfy { isWord($0) || $0 == UInt8(ascii: "-") }
                    && label.first.map(isWord) == true && label.last.map(isWord) == true
            }
            return isUser && isHost
        }
    }

    /// Reads `[notify]`.
    static func notification(_ reader: ConfigReader) -> Notification {
        var notification = Notification()
        if let mail = reader.string("mail") {
            if !Notification.isAddress(mail) {
                reader.report(
                    "mail", "\"notify.mail\" is \"\(mail)\", which is not a mail address",
                    hint: "write one plain address such as \"ada@example.org\"")
            }
            notification.mail = mail
        }
        notification.on = reader.finalStates("on")
        reader.finish()
        return notification
    }
}

extension ConfigReader {
    /// A list of states a job can end in.
    package func finalStates(_ key: String) -> [JobState]? {
        guard let names = strings(key) else { return nil }
        return names.compactMap { name in
            if let state = JobState(rawValue: name), state.isFinal { return state }
            let known = JobState.allCases.filter(\.isFinal).map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            report(
                key, "\"\(self.name).\(key)\" has \"\(name)\", which is no state a job ends in", hint: "known: \(known)"
            )
            return nil
        }
    }
}
