import FoundationEssentials
import Glibc
import JobAPI
import Units

/// A plain-text mail about a job's end.
struct Mail: Sendable {
    /// A strictly checked address; see `JobSpec.Notification`.
    var to: String
    var subject: String
    var body: String

    /// Nil for an address that is none: nothing that could end a header line gets into one.
    init?(_ notice: Notice, to address: String) {
        guard JobSpec.Notification.isAddress(address) else { return nil }
        to = address
        let name = Self.line(notice.name)
        subject = "job \(notice.id) \(name.prefix(80)) \(notice.state.rawValue)"
        var lines = [
            "Job \(notice.id) (\(name)) of \(notice.user) \(notice.state.rawValue):", Self.line(notice.reason), "",
        ]
        if let seconds = notice.runTimeS { lines.append("run time: \((.seconds(seconds) as Duration).brief)") }
        if let energy = notice.energyJ, let carbon = notice.carbonG, let tier = notice.tier {
            lines.append("energy:   \(Energy(joules: energy)) (\(tier.rawValue))")
            lines.append("carbon:   \(CarbonMass(grams: carbon)) CO2e")
        } else {
            lines.append("energy:   not metered")
        }
        lines += [
            "attempt:  \(notice.attempt)", "", "mlctl show \(notice.id) and mlctl logs \(notice.id) tell the rest.",
        ]
        body = lines.joined(separator: "\n") + "\n"
    }

    /// As `sendmail -t` reads it.
    var message: [UInt8] {
        let headers = [
            "To: \(to)", "Subject: \(Self.encoded(subject))", "Auto-Submitted: auto-generated", "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit",
        ]
        return Array((headers.joined(separator: "\n") + "\n\n" + body).utf8)
    }

    /// On one line, without what a terminal or a mail program would obey, and no longer than mail allows.
    private static func line(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            let isBreak = scalar.value == 0x2028 || scalar.value == 0x2029
            result.unicodeScalars.append(isControl || isBreak ? " " : scalar)
            if result.utf8.count > 900 { break }
        }
        return result
    }

    /// A header may hold ASCII only; the rest in encoded words of RFC 2047, each of whole characters.
    private static func encoded(_ text: String) -> String {
        if text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }), !text.contains("=?") { return text }
        var words: [String] = []
        var part = ""
        for scalar in text.unicodeScalars {
            if part.utf8.count + String(scalar).utf8.count > 42 {
                words.append(part)
                part = ""
            }
            part.unicodeScalars.append(scalar)
        }
        words.append(part)
        return words.map { "=?utf-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\n ")
    }
}
